"""The digit reader of notebook 03 as a service that others can use.

`python -m service`, or `make serve`, starts it on this machine, with a web page to draw on. The formats of
its requests and answers are those of the Open Inference Protocol, version 2
(https://github.com/kserve/open-inference-protocol).
"""
