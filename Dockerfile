# The image of every process of the product: which one, the first argument says (see image/main.ts).
# Builds with docker, podman and buildah; local/cluster/image/ follows the same lines where there is no such program.

# Where packages are installed, and whose Node the image gets.
ARG NODE_IMAGE=node:26-bookworm-slim
# What the image consists of beneath that: a C library, certificates, and no shell.
ARG BASE_IMAGE=gcr.io/distroless/cc-debian12

FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json ./
# Types and maps are for those who write code: a third of what the packages weigh.
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund && find node_modules -name '*.map' -delete -o -name '*.d.[mc]ts' -delete -o -name '*.d.ts' -delete
COPY crds ./crds
COPY runtime ./runtime
COPY db ./db
COPY operator ./operator
COPY worker ./worker
COPY local/traffic ./local/traffic
COPY plugin ./plugin
COPY image ./image

FROM ${BASE_IMAGE}
COPY --from=build /usr/local/bin/node /usr/local/bin/node
# Node needs it, and the base need not have it.
COPY --from=build /usr/lib/*-linux-gnu/libatomic.so.1* /usr/lib/
COPY --from=build /app /app
WORKDIR /app
ENV NODE_ENV=production
# Numeric, so that a cluster can see that it is not root.
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/node", "--disable-warning=ExperimentalWarning", "/app/image/main.ts"]
CMD ["help"]
