using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Filters;

namespace Mesh.DataPlane.Telemetry;

/// <summary>Filters that tell of requests and connections and decide nothing about them: they say what is measured, and are no part of a chain.</summary>
internal static class SignalFilters
{
    /// <summary>What Istio's metrics filter (<c>istio.stats</c>) is configured by, as such or in a TypedStruct.</summary>
    public const string Stats = "stats.PluginConfig";

    public static bool IsOne(Any? config, string path) => config is not null && FilterMessage.Open(config, path).TypeName == Stats;
}
