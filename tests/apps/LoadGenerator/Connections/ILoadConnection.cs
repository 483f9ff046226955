namespace LoadGenerator.Connections;

/// <summary>What one of the callers side by side asks by: one request after the other.</summary>
public interface ILoadConnection : IDisposable
{
    /// <summary>How long each connection took that was made.</summary>
    LoadHistogram ConnectTimes { get; }

    /// <exception cref="IOException">There is no answer.</exception>
    Task<LoadAnswer> CallAsync(CancellationToken cancellationToken);
}

/// <summary>What an answer amounts to.</summary>
/// <param name="Status">The status.</param>
/// <param name="StatusLine">Its line, as in <c>HTTP/1.1 503</c>.</param>
/// <param name="HeaderBytes">The size of status line and headers on the wire.</param>
/// <param name="TotalBytes">That of everything.</param>
public readonly record struct LoadAnswer(int Status, string StatusLine, int HeaderBytes, int TotalBytes);
