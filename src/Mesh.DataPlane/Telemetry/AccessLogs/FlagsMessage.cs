using Message = Envoy.Data.Accesslog.V3.ResponseFlags;

namespace Mesh.DataPlane.Telemetry.AccessLogs;

/// <summary>Response flags as the access log service gets them.</summary>
internal static class FlagsMessage
{
    /// <returns><see langword="null"/> for none.</returns>
    public static Message? Of(string flags)
    {
        if (flags.Length == 0)
        {
            return null;
        }

        var message = new Message();
        foreach (var flag in flags.Split(','))
        {
            switch (flag)
            {
                case "LH": message.FailedLocalHealthcheck = true; break;
                case "UH": message.NoHealthyUpstream = true; break;
                case "UT": message.UpstreamRequestTimeout = true; break;
                case "LR": message.LocalReset = true; break;
                case "UR": message.UpstreamRemoteReset = true; break;
                case "UF": message.UpstreamConnectionFailure = true; break;
                case "UC": message.UpstreamConnectionTermination = true; break;
                case "UO": message.UpstreamOverflow = true; break;
                case "NR": message.NoRouteFound = true; break;
                case "DI": message.DelayInjected = true; break;
                case "FI": message.FaultInjected = true; break;
                case "RL": message.RateLimited = true; break;
                case "UAEX": message.UnauthorizedDetails = new Message.Types.Unauthorized { Reason = Message.Types.Unauthorized.Types.Reason.ExternalService }; break;
                case "RLSE": message.RateLimitServiceError = true; break;
                case "DC": message.DownstreamConnectionTermination = true; break;
                case "URX": message.UpstreamRetryLimitExceeded = true; break;
                case "SI": message.StreamIdleTimeout = true; break;
                case "IH": message.InvalidEnvoyRequestHeaders = true; break;
                case "DPE": message.DownstreamProtocolError = true; break;
                case "UMSDR": message.UpstreamMaxStreamDurationReached = true; break;
                case "RFCF": message.ResponseFromCacheFilter = true; break;
                case "NFCF": message.NoFilterConfigFound = true; break;
                case "DT": message.DurationTimeout = true; break;
                case "UPE": message.UpstreamProtocolError = true; break;
                case "NC": message.NoClusterFound = true; break;
                case "OM": message.OverloadManager = true; break;
                case "DF": message.DnsResolutionFailure = true; break;
                case "DR": message.DownstreamRemoteReset = true; break;
            }
        }

        return message;
    }
}
