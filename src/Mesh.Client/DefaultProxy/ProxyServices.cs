using Microsoft.Extensions.Logging;

namespace Mesh.Client.DefaultProxy;

/// <summary>What the connections of a proxy share.</summary>
internal sealed record ProxyServices
{
    public required ProxyToken Token { get; init; }

    /// <summary>Where requests go.</summary>
    public required HttpMessageInvoker Invoker { get; init; }

    /// <summary>Makes the connections that are not for requests.</summary>
    public required Func<string, int, CancellationToken, ValueTask<Stream>> Connect { get; init; }

    public required TimeProvider Time { get; init; }

    public required ILogger Logger { get; init; }

    /// <summary>How long a caller may take to show who it is.</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Nothing new is begun.</summary>
    public CancellationToken Stopping { get; init; }

    /// <summary>What has begun ends, too.</summary>
    public CancellationToken Cut { get; init; }
}
