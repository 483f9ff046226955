using System.Net;
using System.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Mesh.Server.Connections;

/// <summary>Says once that a probe knocks in plain text at a port that asks for TLS: a kubelet has no certificate.</summary>
internal sealed partial class ProbeWarning(IOptions<MeshOptions> options, ILogger<ProbeWarning> logger)
{
    private int _said;

    /// <param name="endPoint">The port.</param>
    /// <param name="first">The first bytes of what was refused.</param>
    public void Refused(IPEndPoint endPoint, ReadOnlySpan<byte> first)
    {
        if (Volatile.Read(ref _said) == 0 && options.Value.Health.Port is null && LooksLikeProbe(first) && Interlocked.Exchange(ref _said, 1) == 0)
        {
            Log.ProbeRefused(logger, endPoint);
        }
    }

    private static bool LooksLikeProbe(ReadOnlySpan<byte> first)
        => (first.StartsWith("GET "u8) || first.StartsWith("HEAD "u8))
            && (first.IndexOf("kube-probe/"u8) >= 0 || first.IndexOf("HealthCheck"u8) >= 0 || IsHealthPath(first));

    private static bool IsHealthPath(ReadOnlySpan<byte> first)
    {
        var line = Encoding.ASCII.GetString(first[..Math.Min(first.Length, 100)]);
        return line.Split(' ') is [_, var path, ..] && MeshHealthOptions.UsualPaths.Contains(path.Split('?')[0]);
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "What looks like a health probe came to {EndPoint} in plain text and was refused, as the port asks for mutual TLS. Set Mesh:Health:Port and let the probe ask there: it serves the application's probe paths outside the mesh's TLS.")]
        public static partial void ProbeRefused(ILogger logger, IPEndPoint endPoint);
    }
}
