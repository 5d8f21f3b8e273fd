# Grantor as an image: built from these sources alone, run by a user of its own.

FROM rust:1-slim-bookworm AS build
RUN apt-get update \
 && apt-get install --yes --no-install-recommends build-essential pkg-config libssl-dev \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY Cargo.toml Cargo.lock askama.toml ./
COPY src src
COPY migrations migrations
COPY config config
COPY .cargo .cargo
RUN cargo build --release --locked --features postgres-tls --bin grantor

FROM debian:bookworm-slim
RUN apt-get update \
 && apt-get install --yes --no-install-recommends libssl3 ca-certificates \
 && rm -rf /var/lib/apt/lists/*
RUN useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin grantor \
 && install --directory --owner=grantor --group=grantor --mode=0700 /var/lib/grantor /var/lib/grantor/data
COPY --from=build /src/target/release/grantor /usr/local/bin/grantor
USER grantor
# Without other settings: SQLite and the master key in /var/lib/grantor/data. Keep that folder in a volume.
WORKDIR /var/lib/grantor
VOLUME /var/lib/grantor/data
EXPOSE 8080
ENTRYPOINT ["grantor"]
CMD ["serve"]
