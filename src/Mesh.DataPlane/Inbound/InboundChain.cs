using Mesh.DataPlane.Filters;
using Mesh.DataPlane.Inbound.Http;

namespace Mesh.DataPlane.Inbound;

/// <summary>A filter chain that is in force.</summary>
/// <param name="resource">What it says.</param>
/// <param name="tls">How its connections are secured; <see langword="null"/> for plain text, and for TLS that is the application's own.</param>
/// <param name="http">What happens to requests; <see langword="null"/> when the application gets connections as they are.</param>
internal sealed class InboundChain(InboundFilterChain resource, InboundTls? tls, InboundHttpTable? http)
{
    public InboundFilterChain Resource { get; } = resource;

    public InboundTls? Tls { get; } = tls;

    public InboundHttpTable? Http { get; } = http;

    /// <summary>The filter that closes a connection which has just been made; <see langword="null"/> when it may pass.</summary>
    public NetworkFilter? Judge(ConnectionFacts connection, FilterServices services)
    {
        foreach (var filter in Resource.NetworkFilters)
        {
            if (!filter.Judge(connection, services))
            {
                return filter;
            }
        }

        return null;
    }

    /// <summary>The filter that would close a connection; <see langword="null"/> when it may pass.</summary>
    public NetworkFilter? Refusing(ConnectionFacts connection)
    {
        foreach (var filter in Resource.NetworkFilters)
        {
            if (!filter.Admits(connection))
            {
                return filter;
            }
        }

        return null;
    }

    public override string ToString() => Resource.Name.Length > 0 ? Resource.Name : "a filter chain without a name";
}
