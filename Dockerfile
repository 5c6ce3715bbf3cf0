# The workflow for machines that have neither conda nor a place for a virtual environment.
#   docker build --tag symbreak .
#   docker run --rm --volume $PWD:/work symbreak snakemake --cores all
#   apptainer build symbreak.sif docker-daemon://symbreak:latest
FROM python:3.12-slim
RUN apt-get update && apt-get install --yes --no-install-recommends git && rm -rf /var/lib/apt/lists/*
WORKDIR /opt/symbreak
COPY . .
# Kernels are compiled when the image is built: later, the folder may not be writable.
RUN python -m pip install --no-cache-dir --constraint constraints.txt '.[all,slurm,cluster]' && symbreak compile
WORKDIR /work
CMD ["symbreak", "--help"]
