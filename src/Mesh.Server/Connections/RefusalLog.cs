using System.Net;
using Microsoft.Extensions.Logging;

namespace Mesh.Server.Connections;

/// <summary>Says of each connection that is refused why, once; of a flood so many in a second, and then how many more there were.</summary>
internal sealed partial class RefusalLog(TimeProvider time, ILogger<RefusalLog> logger)
{
    /// <summary>So many are told of in a second.</summary>
    public const int MaxPerSecond = 20;

    private readonly Lock _sync = new();
    private long _second;
    private int _told;
    private long _untold;

    public void Refused(EndPoint? remote, EndPoint local, string reason)
    {
        if (!MayTell(out var untold))
        {
            return;
        }

        if (untold > 0)
        {
            Log.MoreRefused(logger, untold);
        }

        Log.Refused(logger, remote, local, reason);
    }

    private bool MayTell(out long untold)
    {
        var second = time.GetUtcNow().ToUnixTimeSeconds();
        lock (_sync)
        {
            untold = 0;
            if (second != _second)
            {
                (_second, _told, untold, _untold) = (second, 0, _untold, 0);
            }

            if (_told == MaxPerSecond)
            {
                _untold++;
                return false;
            }

            _told++;
            return true;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "A connection from {Remote} to {Local} is refused: {Reason}.")]
        public static partial void Refused(ILogger logger, EndPoint? remote, EndPoint local, string reason);

        [LoggerMessage(2, LogLevel.Warning, "{Count} more connections were refused.")]
        public static partial void MoreRefused(ILogger logger, long count);
    }
}
