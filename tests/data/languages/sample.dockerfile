# syntax=docker/dockerfile:1
ARG VERSION=3.12
FROM python:${VERSION}-slim AS base
ENV PATH=/app/bin LIMIT=10
WORKDIR /app

FROM base AS build
ARG TARGET
COPY requirements.txt .
RUN pip install -r requirements.txt && \
    echo done

FROM base
LABEL owner="me"
COPY --from=build /app /app
EXPOSE 8080
ENTRYPOINT ["python", "-m", "shop"]
