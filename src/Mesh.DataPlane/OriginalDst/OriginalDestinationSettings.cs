using Mesh.DataPlane.Dns;
using Mesh.DataPlane.Filters;
using Mesh.DataPlane.Matching;

namespace Mesh.DataPlane.OriginalDst;

/// <summary>How a cluster of original destinations finds its hosts.</summary>
/// <param name="Header">A request header that may name another destination, as <c>ip:port</c>; <see langword="null"/> when none may.</param>
/// <param name="Port">The port in place of the one that was asked for.</param>
/// <param name="CleanupInterval">How often hosts go that nobody has used since; Envoy's default is 5 seconds.</param>
/// <param name="Names">How destinations that are names are resolved.</param>
internal sealed record OriginalDestinationSettings(HeaderName? Header, int? Port, TimeSpan CleanupInterval, DnsClusterSettings Names)
{
    /// <summary>Where a filter may have left another destination, which goes before that of a header.</summary>
    public DynamicMetadata? Metadata { get; init; }
}
