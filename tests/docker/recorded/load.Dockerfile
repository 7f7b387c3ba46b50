# The service `load` with a stand-in for go-ycsb that notes what it is told in /tmp/notes. Built from tests/lab/load.
ARG OPSAI_OPERATOR_IMAGE=opsai-operator:local
FROM ${OPSAI_OPERATOR_IMAGE}
COPY go_ycsb.py /usr/local/bin/go-ycsb
HEALTHCHECK NONE
ENV GO_YCSB_NOTES=/tmp/notes
ENTRYPOINT ["python", "-m", "opsai_lab.load.cli"]
CMD []
