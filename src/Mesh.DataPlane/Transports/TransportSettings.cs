using Mesh.DataPlane.Tls;

namespace Mesh.DataPlane.Transports;

/// <summary>What makes two connection pools to one address different.</summary>
/// <param name="Protocol">The version of HTTP spoken to the endpoint.</param>
/// <param name="ConnectTimeout">Envoy's <c>connect_timeout</c>, 5 seconds when unset.</param>
internal sealed record TransportSettings(UpstreamProtocol Protocol, TimeSpan ConnectTimeout)
{
    /// <summary>How long a connection may be without a request (<c>idle_timeout</c>); Envoy's default is 1 hour, infinite switches it off.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromHours(1);

    /// <summary>After so long a connection takes no further request (<c>max_connection_duration</c>); infinite by default.</summary>
    public TimeSpan MaxConnectionDuration { get; init; } = Timeout.InfiniteTimeSpan;

    /// <summary>After so many requests an HTTP/1.1 connection closes (<c>max_requests_per_connection</c>); 0, the default, is no limit.</summary>
    public uint MaxRequestsPerConnection { get; init; }

    /// <summary>A response with more header lines breaks the protocol (<c>max_headers_count</c>).</summary>
    public uint? MaxHeadersCount { get; init; }

    /// <summary>A response with larger headers, in KiB, breaks the protocol (<c>max_response_headers_kb</c>); 64 by default.</summary>
    public uint? MaxResponseHeadersKb { get; init; }

    /// <summary>HTTP/2's window of each stream in bytes (<c>initial_stream_window_size</c>).</summary>
    public uint? InitialStreamWindowSize { get; init; }

    /// <summary>How many requests a connection of HTTP/2 carries at a time (<c>max_concurrent_streams</c>), where the server allows no fewer.</summary>
    public uint? MaxConcurrentStreams { get; init; }

    /// <summary>How often HTTP/2 pings a connection on which nothing comes (<c>connection_keepalive.interval</c>); not at all by default.</summary>
    public TimeSpan? KeepaliveInterval { get; init; }

    /// <summary>How long the answer to a ping may take (<c>connection_keepalive.timeout</c>).</summary>
    public TimeSpan? KeepaliveTimeout { get; init; }

    public TcpKeepalive? TcpKeepalive { get; init; }

    /// <summary>Whether connections to workloads of the mesh may begin with who this end is.</summary>
    public bool IntroducesItself { get; init; } = true;

    /// <summary>How TLS is spoken to the endpoint; <see langword="null"/> for clear text.</summary>
    public UpstreamTls? Tls { get; init; }
}
