using Mesh.DataPlane.Tls;
using Microsoft.Extensions.Logging;

namespace Mesh.DataPlane.Transports;

/// <summary>Tells of an endpoint with which there is no TLS: once, until there is again or it is for another reason.</summary>
internal sealed partial class TlsRefusals(ILogger logger, string cluster, string endpoint)
{
    private string? _told;

    public void Add(TlsFailureException failure)
    {
        if (Interlocked.Exchange(ref _told, failure.Message) != failure.Message)
        {
            Log.Refused(logger, endpoint, cluster, failure.Message, failure.Reason);
        }
    }

    public void Clear() => Volatile.Write(ref _told, null);

    private static partial class Log
    {
        [LoggerMessage(18, LogLevel.Warning, "There is no TLS with {Endpoint} of {Cluster}: {Explanation} ({Reason})")]
        public static partial void Refused(ILogger logger, string endpoint, string cluster, string explanation, string reason);
    }
}
