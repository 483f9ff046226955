using Envoy.Config.Core.V3;

namespace Mesh.ControlPlane.Generators;

/// <summary>Where a resource says that another one comes from.</summary>
internal static class ConfigSources
{
    /// <summary>This very stream. gRPC ignores the version of the resource API; Envoy wants it said.</summary>
    public static ConfigSource Ads { get; } = new() { Ads = new AggregatedConfigSource(), ResourceApiVersion = ApiVersion.V3 };

    /// <summary>The server that sends it: takes load reports.</summary>
    public static ConfigSource Self { get; } = new() { Self = new SelfConfigSource(), ResourceApiVersion = ApiVersion.V3 };
}
