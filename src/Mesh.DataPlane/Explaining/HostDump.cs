using Mesh.DataPlane.Hosts;

namespace Mesh.DataPlane.Explaining;

/// <summary>A host that this process calls: the listener of its name, and the routes that are in force.</summary>
/// <param name="Authority"><c>reviews:9080</c>, <c>tcp://mysql:3306</c>.</param>
/// <param name="Status"><c>Meshed</c>, <c>Pending</c>, <c>Unknown</c> or <c>Failed</c>.</param>
/// <param name="Version">The version of the listener.</param>
/// <param name="Error">Why it is not meshed.</param>
/// <param name="RouteConfiguration">The name of its route configuration.</param>
/// <param name="RouteVersion">The version of that.</param>
/// <param name="Filters">The listener's HTTP filters in their order, without the router.</param>
/// <param name="VirtualHost">The virtual host that its requests are for; <see langword="null"/> when none is.</param>
/// <param name="Chains">The filter chains, where it carries connections.</param>
internal sealed record HostDump(
    string Authority,
    string Status,
    string Version,
    string? Error,
    string? RouteConfiguration,
    string? RouteVersion,
    IReadOnlyList<string> Filters,
    VirtualHostDump? VirtualHost,
    IReadOnlyList<ChainDump> Chains)
{
    /// <summary>It stays subscribed however idle it is.</summary>
    public bool IsPreloaded { get; init; }

    public static HostDump Of(HostEntry entry)
    {
        var state = entry.State;
        return new HostDump(
            entry.Key.ToString(),
            state.Status.ToString(),
            state.ListenerVersion,
            state.Error,
            state.Table?.Name,
            state.Table?.Version,
            [.. (state.Filters?.Listener ?? []).Select(f => f.Disabled ? $"{f.Name} (off unless a route enables it)" : f.Name)],
            state is { VirtualHost: { } host, Table: { } table } ? VirtualHostDump.Of(host, [.. table.VirtualHosts.Domains.Where(d => d.Host == host).Select(d => d.Domain)]) : null,
            [.. (state.Tcp?.All ?? []).Select(ChainDump.Of)])
        {
            IsPreloaded = entry.IsPreloaded,
        };
    }
}
