# docker build -t registry-janitor .
#
# The Go toolchain stamps the tag or the commit of the repository as the version, so the
# build context includes .git. Without it, for example in an archive of the source or a
# linked worktree, the version is "devel".

# Other images for the two stages below, such as copies in a registry of your own.
ARG GO_IMAGE=go
ARG BASE_IMAGE=base

# Dependabot moves these digests.
FROM --platform=$BUILDPLATFORM golang:1.26.8-bookworm@sha256:a688600ca24f8a4d3ca77f95b0dd40704a9fc787c826660eb7ba0b641b8b175d AS go
FROM gcr.io/distroless/static-debian12:nonroot@sha256:afa5c872c891853ca7fcf1f12c3edb23f7eeef36189728842dd51042ff57f7ab AS base

FROM --platform=$BUILDPLATFORM ${GO_IMAGE} AS build
WORKDIR /src

# Settings of the Go toolchain for builds behind a proxy; unset by default.
ARG GOPROXY
ARG GOSUMDB
ARG GOFLAGS

# The modules change less often than the code, so they are a layer of their own.
COPY go.mod go.sum ./
RUN go mod download

COPY . .
ARG TARGETOS
ARG TARGETARCH
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -trimpath -ldflags "-s -w" -o /out/registry-janitor ./cmd/registry-janitor

FROM ${BASE_IMAGE}
LABEL org.opencontainers.image.title="registry-janitor" \
      org.opencontainers.image.description="Policy-driven cleanup of the Scaleway Container Registry" \
      org.opencontainers.image.source="https://github.com/registry-janitor/registry-janitor" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /out/registry-janitor /usr/local/bin/registry-janitor
# The user nonroot of the base image, by number: Kubernetes can verify only of a number
# that it is not root.
USER 65532:65532
ENTRYPOINT ["registry-janitor"]
