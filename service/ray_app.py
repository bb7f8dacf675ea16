"""The digit reader on Ray Serve: `serve run service.ray_app:application`, after `pip install "ray[serve]"`.

Replicas, restarts, batches and scaling are the engine's. The formats are those of the service.
"""

from service import model, protocol

import numpy as np
from fastapi import FastAPI, HTTPException
from ray import serve

api = FastAPI()


@serve.deployment(
    max_ongoing_requests=64,
    max_queued_requests=512,  # more are refused
    autoscaling_config={"min_replicas": 1, "max_replicas": 4, "target_ongoing_requests": 16},
    ray_actor_options={"num_cpus": 1},
)
@serve.ingress(api)
class Digits:
    """One replica: a network in a process of its own."""

    def __init__(self) -> None:
        """Load the network, or train it where there is none."""
        self.predict = model.predictor(model.obtain())

    @serve.batch(max_batch_size=64, batch_wait_timeout_s=0.002)
    async def together(self, asked: list[np.ndarray]) -> list[np.ndarray]:
        """Read the pictures of several requests at once."""
        ends = np.cumsum([len(pictures) for pictures in asked])
        return np.split(self.predict(np.concatenate(asked)), ends[:-1])

    @api.post("/v2/models/digits/infer")
    async def infer(self, asked: protocol.InferRequest) -> dict:
        """Read the digits in pictures."""
        try:
            pictures = protocol.pictures_of(asked)
        except protocol.BadRequest as error:
            raise HTTPException(400, str(error)) from None
        return protocol.response("digits", asked, await self.together(pictures))


application = Digits.bind()
