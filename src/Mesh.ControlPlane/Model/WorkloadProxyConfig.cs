using Istio.Mesh.V1Alpha1;
using ProxyHeaders = Istio.Mesh.V1Alpha1.ProxyConfig.Types.ProxyHeaders;

namespace Mesh.ControlPlane.Model;

/// <summary>What the ProxyConfig of the mesh, of a namespace and of a workload come to for one workload; immutable.</summary>
/// <param name="Config">Everything that they say, merged.</param>
internal sealed record WorkloadProxyConfig(ProxyConfig Config)
{
    /// <summary>Where nobody says anything.</summary>
    public static WorkloadProxyConfig Default { get; } = new(new ProxyConfig());

    public Tracing? Tracing => Config.Tracing;

    public ProxyHeaders? Headers => Config.ProxyHeaders;

    public EnvoyHeaders EnvoyHeaders => new(Headers?.AttemptCount?.Disabled == true, Headers?.EnvoyDebugHeaders?.Disabled == true);

    /// <summary>Where spans go that no provider is named for; empty: nowhere.</summary>
    public string ZipkinAddress
#pragma warning disable CS0612 // What older documents say.
        => Tracing?.Zipkin is { Address.Length: > 0 } zipkin ? zipkin.Address : Config.ZipkinAddress;
#pragma warning restore CS0612

    /// <summary>A variable of the environment that Istio would have set for the workload's proxy; empty: none.</summary>
    public string Variable(string name) => Config.ProxyMetadata.TryGetValue(name, out var value) ? value : "";
}
