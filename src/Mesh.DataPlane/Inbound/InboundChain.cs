using Mesh.DataPlane.Filters;
using Mesh.DataPlane.Inbound.Http;
using Mesh.DataPlane.Telemetry;

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

    /// <summary>What becomes of its connections; made by whoever comes first.</summary>
    public Lazy<ConnectionSignals?>? Signals { get; set; }

    /// <summary>The filter that closes a connection which has just been made; <see langword="null"/> when it may pass.</summary>
    /// <param name="connection">What is known of it.</param>
    /// <param name="services">Whom to ask, and where decisions are counted and told.</param>
    /// <param name="cancellationToken">Ends when the connection does.</param>
    /// <returns>With it why the connection is closed, as <c>%CONNECTION_TERMINATION_DETAILS%</c> tells it.</returns>
    public ValueTask<(NetworkFilter? Filter, string? Details)> JudgeAsync(ConnectionFacts connection, FilterServices services, CancellationToken cancellationToken)
        => Resource.NetworkFilters.Count == 0 ? default : JudgeAllAsync(connection, services, cancellationToken);

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

    private async ValueTask<(NetworkFilter? Filter, string? Details)> JudgeAllAsync(ConnectionFacts connection, FilterServices services, CancellationToken cancellationToken)
    {
        var metadata = new ConnectionMetadata();
        foreach (var filter in Resource.NetworkFilters)
        {
            if (!await filter.JudgeAsync(connection, metadata, services, cancellationToken).ConfigureAwait(false))
            {
                return (filter, metadata.Details);
            }
        }

        return default;
    }

    public override string ToString() => Resource.Name.Length > 0 ? Resource.Name : "a filter chain without a name";
}
