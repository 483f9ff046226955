namespace Mesh.Xds.Bootstrap;

/// <summary>One entry of <c>authorities</c> (gRFC A47).</summary>
/// <param name="ClientListenerResourceNameTemplate">How a listener's name is made from a target; <see langword="null"/>: <c>xdstp://&lt;authority&gt;/envoy.config.listener.v3.Listener/%s</c>.</param>
/// <param name="Servers">The authority's own servers; empty: those of the bootstrap.</param>
internal sealed record XdsAuthorityConfig(string? ClientListenerResourceNameTemplate, IReadOnlyList<XdsServerConfig> Servers);
