using System.Net;
using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Dns;
using Mesh.DataPlane.Telemetry;

namespace Mesh.DataPlane.Formatting;

/// <summary>The commands that tell of the endpoints that were tried, and of the connection to the one that took a connection.</summary>
internal static class UpstreamCommands
{
    private delegate string? OfEndpoint(Endpoint endpoint);

    public static IEnumerable<(string Name, FormatCommand Command)> All
    {
        get
        {
            yield return ("UPSTREAM_HOSTS_ATTEMPTED", Tried(e => AddressOf(e, withPort: true)));
            yield return ("UPSTREAM_HOSTS_ATTEMPTED_WITHOUT_PORT", Tried(e => AddressOf(e, withPort: false)));
            yield return ("UPSTREAM_HOST_NAMES_ATTEMPTED", Tried(e => HostNameOf(e) ?? AddressOf(e, withPort: true)));
            yield return ("UPSTREAM_HOST_NAMES_ATTEMPTED_WITHOUT_PORT", Tried(e => HostNameOf(e) ?? AddressOf(e, withPort: false)));

            // Istio's default format names it for requests too: for them it is "-", and not refused.
            yield return ("UPSTREAM_LOCAL_ADDRESS", FormatCommand.OfAddress((in FormatContext c) => c.Record?.UpstreamLocal) with { LengthAllowed = true, IsOfEnd = true });
            yield return ("UPSTREAM_LOCAL_ADDRESS_WITHOUT_PORT", new(
                FormatArgument.Optional, LengthAllowed: true, argument => AddressMask.Apply(argument, (in FormatContext c) => c.Record?.UpstreamLocal?.Address.ToString()))
            { IsOfConnectionsAlone = true });
            yield return ("UPSTREAM_LOCAL_PORT", OfConnection(r => r.UpstreamLocal?.Port));
            yield return ("UPSTREAM_CONNECTION_ID", OfConnection(r => r.Upstream?.Id));
            yield return ("UPSTREAM_CONNECTION_POOL_READY_DURATION", OfConnection(r => Milliseconds(r, r.Upstream?.Established)));
            yield return ("UPSTREAM_WIRE_BYTES_SENT", OfConnection(r => r.RequestBytes));
            yield return ("UPSTREAM_WIRE_BYTES_RECEIVED", OfConnection(r => r.ResponseBytes));
            yield return ("DOWNSTREAM_WIRE_BYTES_SENT", OfConnection(r => r.ResponseBytes));
            yield return ("DOWNSTREAM_WIRE_BYTES_RECEIVED", OfConnection(r => r.RequestBytes));
            foreach (var command in CertificateCommands.OfUpstream)
            {
                yield return command;
            }
        }
    }

    /// <summary>The name that an endpoint has; <see langword="null"/> for none.</summary>
    public static string? HostNameOf(Endpoint endpoint) => endpoint.Resource.Hostname is { Length: > 0 } name ? name : null;

    public static string? AddressOf(Endpoint endpoint, bool withPort)
        => LogicalHost.AddressOf(endpoint.Resource.Address) is not { } address ? null
            : withPort ? address.ToString()
            : (address as IPEndPoint)?.Address.ToString() ?? address.ToString();

    /// <summary>Milliseconds from a record's beginning; <see langword="null"/> when the other point in time is not known.</summary>
    public static long? Milliseconds(RequestRecord record, long? until)
        => until is > 0 and var to ? (long)record.Time.GetElapsedTime(record.Began, to).TotalMilliseconds : null;

    private static FormatCommand OfConnection(Func<RequestRecord, long?> value)
        => FormatCommand.OfNumber(FormatArgument.None, _ => (in FormatContext c) => c.Record is { IsConnection: true } record ? value(record) : null) with { IsOfConnectionsAlone = true };

    private static FormatCommand Tried(OfEndpoint value)
        => new(FormatArgument.None, LengthAllowed: true, _ => (in FormatContext c) =>
        {
            if (c.Record is not { } record || record.Tried is not { Length: > 0 } tried)
            {
                return null;
            }

            var texts = new string?[tried.Length];
            for (var i = 0; i < tried.Length; i++)
            {
                texts[i] = tried[i] is { } endpoint ? value(endpoint) : null;
            }

            return string.Join(',', texts.Where(t => t is not null));
        })
        {
            IsOfEnd = true,
        };
}
