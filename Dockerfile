# The local cloud in a container: docker compose up
FROM python:3.11-slim-bookworm

# For a build that installs from elsewhere than PyPI, e.g. --build-arg PIP_INDEX_URL=...
ARG PIP_INDEX_URL
ARG PIP_EXTRA_INDEX_URL

WORKDIR /src
COPY constraints.txt pyproject.toml README.md LICENSE ./
COPY harness harness
COPY scenarios scenarios
COPY fixtures fixtures
# The collective communication library of xgboost's wheel is of use to several GPUs only: 200 MB less.
RUN pip install --no-cache-dir --constraint constraints.txt . \
    && pip uninstall --yes nvidia-nccl-cu12 \
    && echo 'harness:x:10001:10001::/home/harness:/usr/sbin/nologin' >> /etc/passwd \
    && install --directory --owner 10001 --group 10001 /home/harness

USER 10001:10001
ENV HOME=/home/harness
WORKDIR /home/harness
EXPOSE 4580
HEALTHCHECK --interval=5s --timeout=3s --start-period=20s CMD \
    ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:4580/_harness/health', timeout=2)"]
CMD ["harness", "up", "--host", "0.0.0.0", "--port", "4580"]
