using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Retry;
using Mesh.DataPlane.Timeouts;
using EnvoyCluster = Envoy.Config.Cluster.V3.Cluster;
using EnvoyOptions = Envoy.Extensions.Upstreams.Http.V3.HttpProtocolOptions;

namespace Mesh.DataPlane.Resources;

/// <summary>Compiles what a cluster's HTTP options say of requests; what they say of connections is the transport's.</summary>
internal static class ClusterRequestPolicyCompiler
{
    private const string OptionsKey = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
    private const string Path = $"typed_extension_protocol_options[{OptionsKey}]";

    /// <returns><see langword="null"/> when they say nothing.</returns>
    public static ClusterRequestPolicy? Compile(EnvoyCluster message, ICollection<string> notes)
    {
        var policy = message.TypedExtensionProtocolOptions.TryGetValue(OptionsKey, out var any)
            ? Compile(WireMessage.Parse(EnvoyOptions.Parser, any.Value, Path), notes)
            : OfOlderFields(message);
        return policy == new ClusterRequestPolicy() ? null : policy;
    }

    private static ClusterRequestPolicy Compile(EnvoyOptions options, ICollection<string> notes) => new()
    {
        Retry = RetryPolicyCompiler.Compile(options.RetryPolicy, Path + ".retry_policy", notes),
        MaxStreamDuration = TimeoutPolicyCompiler.Value(
            options.CommonHttpProtocolOptions?.MaxStreamDuration, Path + ".common_http_protocol_options.max_stream_duration") ?? TimeSpan.Zero,
    };

#pragma warning disable CS0612 // The older field counts where the extension is absent, as in Envoy.
    private static ClusterRequestPolicy OfOlderFields(EnvoyCluster message) => new()
    {
        MaxStreamDuration = TimeoutPolicyCompiler.Value(
            message.CommonHttpProtocolOptions?.MaxStreamDuration, "common_http_protocol_options.max_stream_duration") ?? TimeSpan.Zero,
    };
#pragma warning restore CS0612
}
