namespace Mesh.Cli.Tests;

/// <summary>A small bookstore.</summary>
internal static class MeshDocuments
{
    public const string ProductPage = "sidecar~10.0.0.9~productpage-v1-7d.default~default.svc.cluster.local";
    public const string ProductPageMetadata = """{"NAMESPACE":"default","WORKLOAD_NAME":"productpage","CLUSTER_ID":"Kubernetes","ISTIO_VERSION":"1.21.0","LABELS":{"app":"productpage","version":"v1"}}""";
    public const string Cluster = "outbound|9080||reviews.default.svc.cluster.local";

    public const string Reviews = """
        apiVersion: v1
        kind: Service
        metadata: {name: reviews}
        spec:
          selector: {app: reviews}
          ports: [{name: http, port: 9080}]
        ---
        apiVersion: networking.istio.io/v1
        kind: DestinationRule
        metadata: {name: reviews}
        spec:
          host: reviews
          subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]
        ---
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: reviews}
        spec:
          hosts: [reviews]
          http:
          - match: [{headers: {end-user: {exact: jason}}}]
            route: [{destination: {host: reviews, subset: v2}}]
          - route: [{destination: {host: reviews, subset: v1}}]
        ---
        apiVersion: networking.istio.io/v1
        kind: WorkloadEntry
        metadata: {name: reviews-v1}
        spec: {address: 10.0.0.1, labels: {app: reviews, version: v1}, serviceAccount: bookinfo-reviews}
        ---
        apiVersion: networking.istio.io/v1
        kind: WorkloadEntry
        metadata: {name: reviews-v2}
        spec: {address: 10.0.0.2, labels: {app: reviews, version: v2}, serviceAccount: bookinfo-reviews}
        ---
        apiVersion: security.istio.io/v1
        kind: AuthorizationPolicy
        metadata: {name: reviews-viewer}
        spec:
          selector: {matchLabels: {app: reviews}}
          action: ALLOW
          rules: [{from: [{source: {principals: ["cluster.local/ns/default/sa/bookinfo-productpage"]}}]}]
        """;
}
