using Mesh.DataPlane.Filters.LocalRateLimit;
using Mesh.DataPlane.Inbound;
using Microsoft.Extensions.Logging;

namespace Mesh.DataPlane.Filters.Rbac;

/// <summary>Tells of what was denied, ten times a second at most: what is left out is counted, and the number told with the next one.</summary>
internal sealed partial class DenialLog(ILogger logger, TimeProvider time)
{
    private const uint PerSecond = 10;
    private const int MaxPath = 256;

    private readonly TokenBucket _bucket = new(PerSecond, PerSecond, TimeSpan.FromSeconds(1));
    private long _leftOut;

    /// <param name="policy">The policy that decided; <c>none</c> when no ALLOW policy matched.</param>
    /// <param name="method">The request's method.</param>
    /// <param name="authority">The host that was asked for.</param>
    /// <param name="path">The path without the query, in which a token may be.</param>
    /// <param name="connection">Who asked; <see langword="null"/> in process.</param>
    public void Request(string policy, string method, ReadOnlySpan<char> authority, ReadOnlySpan<char> path, ConnectionFacts? connection)
    {
        if (MayWrite(out var leftOut))
        {
            Log.Request(logger, method, authority.ToString(), path.Length <= MaxPath ? path.ToString() : $"{path[..MaxPath]}…", PeerOf(connection), policy, leftOut);
        }
    }

    public void Connection(string policy, ConnectionFacts connection)
    {
        if (MayWrite(out var leftOut))
        {
            Log.Connection(logger, connection.LocalEndPoint?.ToString() ?? "?", PeerOf(connection), policy, leftOut);
        }
    }

    private bool MayWrite(out long leftOut)
    {
        leftOut = 0;
        if (!logger.IsEnabled(LogLevel.Information))
        {
            return false;
        }

        if (!_bucket.TryTake(time))
        {
            Interlocked.Increment(ref _leftOut);
            return false;
        }

        leftOut = Interlocked.Exchange(ref _leftOut, 0);
        return true;
    }

    private static string PeerOf(ConnectionFacts? connection)
    {
        if (connection is null)
        {
            return "this process";
        }

        var address = connection.RemoteEndPoint?.ToString() ?? "?";
        var name = connection.UriNames.Count > 0 ? connection.UriNames[0] : connection.DnsNames.Count > 0 ? connection.DnsNames[0] : connection.Subject;
        return name.Length > 0 ? $"{name} ({address})" : address;
    }

    private static partial class Log
    {
        [LoggerMessage(3, LogLevel.Information, "Denied {Method} {Authority}{Path} to {Peer}: policy {Policy}. ({LeftOut} denials before this one are not in the log.)")]
        public static partial void Request(ILogger logger, string method, string authority, string path, string peer, string policy, long leftOut);

        [LoggerMessage(4, LogLevel.Information, "Denied a connection to {Local} from {Peer}: policy {Policy}. ({LeftOut} denials before this one are not in the log.)")]
        public static partial void Connection(ILogger logger, string local, string peer, string policy, long leftOut);
    }
}
