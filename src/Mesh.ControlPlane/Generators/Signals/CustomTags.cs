using Envoy.Type.Metadata.V3;
using Envoy.Type.Tracing.V3;
using Mesh.ControlPlane.Generators.Authorization;
using Mesh.ControlPlane.Model;
using MeshTag = Istio.Mesh.V1Alpha1.Tracing.Types.CustomTag;
using MeshTagCase = Istio.Mesh.V1Alpha1.Tracing.Types.CustomTag.TypeOneofCase;
using TelemetryTag = Istio.Telemetry.V1Alpha1.Tracing.Types.CustomTag;
using TelemetryTagCase = Istio.Telemetry.V1Alpha1.Tracing.Types.CustomTag.TypeOneofCase;

namespace Mesh.ControlPlane.Generators.Signals;

/// <summary>The tags of spans: those of documents, and those that Istio adds of its own accord, by which its dashboards find services.</summary>
internal static class CustomTags
{
    private const string DefaultRevision = "latest";
    private const string Unknown = "unknown";

    /// <summary>What policies on trial would have decided.</summary>
    private static readonly CustomTag[] Trials =
    [
        Policy("istio.authorization.dry_run.allow_policy.name", AuthorizationTranslator.DryRunAllowPrefix + "shadow_effective_policy_id"),
        Policy("istio.authorization.dry_run.allow_policy.result", AuthorizationTranslator.DryRunAllowPrefix + "shadow_engine_result"),
        Policy("istio.authorization.dry_run.deny_policy.name", AuthorizationTranslator.DryRunDenyPrefix + "shadow_effective_policy_id"),
        Policy("istio.authorization.dry_run.deny_policy.result", AuthorizationTranslator.DryRunDenyPrefix + "shadow_engine_result"),
    ];

    /// <summary>All of them, by name.</summary>
    /// <param name="proxy">Whose spans they are on.</param>
    /// <param name="mesh">The mesh.</param>
    /// <param name="config">What the workload is configured with.</param>
    /// <param name="hasIstioTags">Whether Istio's are among them.</param>
    /// <param name="hasTrials">Whether any policy on trial could tell anything.</param>
    /// <param name="own">Those of documents.</param>
    public static IEnumerable<CustomTag> Of(Proxy proxy, MeshSettings mesh, WorkloadProxyConfig config, bool hasIstioTags, bool hasTrials, IEnumerable<CustomTag> own)
        => (hasIstioTags ? OfWorkload(proxy, mesh, config).Concat(hasTrials ? Trials : []) : []).Concat(own).OrderBy(tag => tag.Tag, StringComparer.Ordinal);

    public static IEnumerable<CustomTag> Of(IReadOnlyDictionary<string, TelemetryTag> tags, WorkloadProxyConfig config) => tags.Select(tag => tag.Value.TypeCase switch
    {
        TelemetryTagCase.Environment => Environment(tag.Key, tag.Value.Environment.Name, tag.Value.Environment.DefaultValue, config),
        TelemetryTagCase.Header => Header(tag.Key, tag.Value.Header.Name, tag.Value.Header.DefaultValue),
        TelemetryTagCase.Formatter => new CustomTag { Tag = tag.Key, Value = tag.Value.Formatter.Value },
        _ => Literal(tag.Key, tag.Value.Literal?.Value ?? ""),
    });

    public static IEnumerable<CustomTag> Of(IEnumerable<KeyValuePair<string, MeshTag>>? tags, WorkloadProxyConfig config) => (tags ?? []).Select(tag => tag.Value.TypeCase switch
    {
        MeshTagCase.Environment => Environment(tag.Key, tag.Value.Environment.Name, tag.Value.Environment.DefaultValue, config),
        MeshTagCase.Header => Header(tag.Key, tag.Value.Header.Name, tag.Value.Header.DefaultValue),
        _ => Literal(tag.Key, tag.Value.Literal?.Value ?? ""),
    });

    private static IEnumerable<CustomTag> OfWorkload(Proxy proxy, MeshSettings mesh, WorkloadProxyConfig config) =>
    [
        Literal("istio.canonical_revision", Or(proxy.CanonicalRevision, DefaultRevision)),
        Literal("istio.canonical_service", Or(proxy.CanonicalName, Unknown)),
        Literal("istio.mesh_id", Or(Or(proxy.MeshId, config.Config.MeshId), mesh.TrustDomains.Own)),
        Literal("istio.namespace", proxy.Namespace),
        Literal("istio.cluster_id", Or(proxy.ClusterId, Unknown)),
    ];

    private static CustomTag Literal(string name, string value) => new() { Tag = name, Literal = new CustomTag.Types.Literal { Value = value } };

    /// <summary>A variable that a ProxyConfig sets has the value that it says, whether there is a proxy whose environment it is set in or not.</summary>
    private static CustomTag Environment(string name, string variable, string otherwise, WorkloadProxyConfig config)
        => config.Variable(variable) is { Length: > 0 } value ? Literal(name, value) : new() { Tag = name, Environment = new CustomTag.Types.Environment { Name = variable, DefaultValue = otherwise } };

    private static CustomTag Header(string name, string header, string otherwise)
        => new() { Tag = name, RequestHeader = new CustomTag.Types.Header { Name = header, DefaultValue = otherwise } };

    private static CustomTag Policy(string name, string key) => new()
    {
        Tag = name,
        Metadata = new CustomTag.Types.Metadata
        {
            Kind = new MetadataKind { Request = new MetadataKind.Types.Request() },
            MetadataKey = new MetadataKey { Key = AuthorizationTranslator.HttpFilterName, Path = { new MetadataKey.Types.PathSegment { Key = key } } },
        },
    };

    private static string Or(string value, string otherwise) => value.Length > 0 ? value : otherwise;
}
