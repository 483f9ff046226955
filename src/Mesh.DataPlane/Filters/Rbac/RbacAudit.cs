using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Mesh.DataPlane.Telemetry.AccessLogs;

namespace Mesh.DataPlane.Filters.Rbac;

/// <summary>
/// Records decisions on standard output, a line of JSON each, as gRPC's <c>stdout_logger</c> does (gRFC A59). Lines share the output of the access logs, and
/// its bounds.
/// </summary>
/// <param name="ofAllowed">Whether decisions to let pass are recorded.</param>
/// <param name="ofDenied">Whether the others are.</param>
/// <param name="loggers">How many loggers record each.</param>
internal sealed class RbacAudit(bool ofAllowed, bool ofDenied, int loggers)
{
    /// <param name="filter">The name of the filter that has decided.</param>
    /// <param name="verdict">The decision.</param>
    /// <param name="request">About what.</param>
    /// <param name="services">Where records go, and the time.</param>
    public void Tell(string filter, in RbacVerdict verdict, scoped in RbacRequest request, FilterServices services)
    {
        if (!(verdict.IsAllowed ? ofAllowed : ofDenied) || services.Telemetry.AccessLogs?.Stdout is not { } output)
        {
            return;
        }

        var line = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(line))
        {
            json.WriteStartObject();
            json.WriteStartObject("grpc_audit_log");
            json.WriteString("timestamp", services.Time.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture));

            // Without the query, in which a token may be.
            json.WriteString("rpc_method", request.IsHttp ? request.View.Path : default);
            json.WriteString("principal", request.Connection is { PeerCertificate: not null } peer
                ? peer.UriNames.Count > 0 ? peer.UriNames[0] : peer.DnsNames.Count > 0 ? peer.DnsNames[0] : peer.Subject
                : "");
            json.WriteString("policy_name", filter);
            json.WriteString("matched_rule", verdict.Policy ?? "");
            json.WriteBoolean("authorized", verdict.IsAllowed);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        line.Write("\n"u8);
        for (var i = 0; i < loggers; i++)
        {
            output.Add(line.WrittenSpan);
        }
    }
}
