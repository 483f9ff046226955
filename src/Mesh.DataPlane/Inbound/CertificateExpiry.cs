using System.Net;
using Mesh.Xds.Validation;
using Microsoft.Extensions.Logging;

namespace Mesh.DataPlane.Inbound;

/// <summary>
/// Ends a connection by the moment a certificate ends that it was made with, for clients that would keep it: those of the mesh have opened another before.
/// First it drains; then it is closed if it serves no request, and after that in any case. Those that were made together do not end together.
/// </summary>
internal sealed partial class CertificateExpiry : IDisposable
{
    // Later than the mesh's own clients, who end theirs after 90 % at the latest.
    private const double Shortest = 0.9;

    private static readonly TimeSpan _soonest = TimeSpan.FromMilliseconds(1);

    private readonly InboundConnection _connection;
    private readonly DateTimeOffset _expires;
    private readonly DateTimeOffset _drains;
    private readonly DateTimeOffset _endsIdle;
    private readonly DateTimeOffset _ends;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly ITimer _timer;
    private volatile bool _isDisposed;

    /// <param name="connection">The connection.</param>
    /// <param name="expires">When the certificate ends.</param>
    /// <param name="drainDuration">How long it drains, and how long a request may go on then; both together at most half of the time that it has.</param>
    /// <param name="time">The clock that certificates are held to.</param>
    /// <param name="random">Spreads the ends.</param>
    /// <param name="logger">Is told of a client that would not go.</param>
    public CertificateExpiry(InboundConnection connection, DateTimeOffset expires, TimeSpan drainDuration, TimeProvider time, IRandomSource random, ILogger logger)
    {
        (_connection, _expires, _time, _logger) = (connection, expires, time, logger);
        var now = time.GetUtcNow();
        var left = expires - now;

        // Nobody can ask a connection of bytes to end, and the client may be waiting for a moment in which it loses nothing: it has all of its time.
        var lasts = connection.Http is null ? left : left * (1 - ((1 - Shortest) * (random.NextUInt64() / (double)ulong.MaxValue)));
        _ends = now + lasts;
        var drains = drainDuration < lasts / 4 ? drainDuration : lasts / 4;
        _endsIdle = connection.Http is null ? _ends : _ends - drains;
        _drains = _endsIdle - drains;
        _timer = time.CreateTimer(static e => ((CertificateExpiry)e!).OnDue(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        Wait(now);
    }

    public void Dispose()
    {
        _isDisposed = true;
        _timer.Dispose();
    }

    private void OnDue()
    {
        var now = _time.GetUtcNow();
        if (_isDisposed)
        {
            return;
        }

        if (now >= _ends || (now >= _endsIdle && _connection.IsIdle))
        {
            Log.Ended(_logger, _connection.Facts.RemoteEndPoint, _connection.Facts.LocalEndPoint, _expires);
            _connection.Transport?.Abort($"a certificate that it was made with ends at {_expires:u}");
            return;
        }

        if (now >= _drains)
        {
            _connection.BeginDrain();
        }

        Wait(now);
    }

    private void Wait(DateTimeOffset now)
    {
        // No timer waits for ten years, and clocks are set: whoever fires looks at the clock.
        var wait = TimerRange.Limit((now < _drains ? _drains : now < _endsIdle ? _endsIdle : _ends) - now);
        _timer.Change(wait > _soonest ? wait : _soonest, Timeout.InfiniteTimeSpan);
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "The connection of {RemoteEndPoint} to {EndPoint} is closed: a certificate that it was made with ends at {Expires:u}, and the client has not opened another by itself.")]
        public static partial void Ended(ILogger logger, IPEndPoint? remoteEndPoint, IPEndPoint? endPoint, DateTimeOffset expires);
    }
}
