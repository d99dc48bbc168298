# dbguard with a PostgreSQL of its own, for CI. Mount the repository at /work: docker run --rm -v "$PWD:/work" dbguard check
FROM python:3.13-slim AS build
COPY pyproject.toml README.md LICENSE /source/
COPY rules /source/rules
COPY src /source/src
RUN python -m venv /dbguard \
    && /dbguard/bin/python -m pip install --no-cache-dir '/source[embedded]'

FROM python:3.13-slim
# git tells what changed (--since); the mounted repository belongs to somebody else
RUN apt-get update \
    && apt-get install --yes --no-install-recommends git \
    && rm -rf /var/lib/apt/lists/* \
    && git config --system --add safe.directory '*' \
    && useradd --uid 10001 --create-home dbguard
COPY --from=build /dbguard /dbguard
ENV PATH="/dbguard/bin:$PATH" PYTHONDONTWRITEBYTECODE=1
# PostgreSQL does not start as root
USER dbguard
WORKDIR /work
ENTRYPOINT ["dbguard"]
CMD ["check"]
