using Mesh.DataPlane.Routing;

namespace Mesh.DataPlane.Explaining;

/// <summary>The routes of a set of domains.</summary>
internal sealed record VirtualHostDump(string Name, IReadOnlyList<string> Domains, IReadOnlyList<RouteDump> Routes)
{
    // A table of ten thousand routes is a list nobody reads; the received configuration has them all.
    private const int MaxRoutes = 1_000;

    /// <summary>How many routes there are, those included that are not listed.</summary>
    public int TotalRoutes { get; init; } = Routes.Count;

    public static IReadOnlyList<VirtualHostDump> Of(VirtualHostTable table)
        => [.. table.Domains.GroupBy(d => d.Host, d => d.Domain).Select(g => Of(g.Key, [.. g]))];

    public static VirtualHostDump Of(VirtualHost host, IReadOnlyList<string> domains)
        => new(host.Name, domains, [.. host.Routes.Take(MaxRoutes).Select(RouteDump.Of)]) { TotalRoutes = host.Routes.Length };
}
