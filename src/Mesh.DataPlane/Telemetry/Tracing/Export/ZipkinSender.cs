using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.Json;

namespace Mesh.DataPlane.Telemetry.Tracing.Export;

/// <summary>Sends spans as JSON of Zipkin's second version.</summary>
internal sealed class ZipkinSender(ISpanPost post, string serviceName) : SpanSender
{
    public override string Address => post.Address;

    public override IDisposable? Begin() => post.Begin();

    public override async Task<int> SendAsync(IReadOnlyList<FinishedSpan> spans, CancellationToken cancellationToken)
    {
        await post.PostAsync(Write(spans), "application/json", cancellationToken).ConfigureAwait(false);
        return 0;
    }

    internal byte[] Write(IReadOnlyList<FinishedSpan> spans)
    {
        var buffer = new ArrayBufferWriter<byte>(spans.Count * 1024);
        using var json = new Utf8JsonWriter(buffer);
        json.WriteStartArray();
        foreach (var span in spans)
        {
            Write(json, span);
        }

        json.WriteEndArray();
        json.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    private void Write(Utf8JsonWriter json, FinishedSpan span)
    {
        json.WriteStartObject();
        json.WriteString("traceId", span.TraceId.ToHexString());
        json.WriteString("id", span.Id.ToHexString());
        if (span.ParentId != default)
        {
            json.WriteString("parentId", span.ParentId.ToHexString());
        }

        json.WriteString("name", span.Name);
        if (span.Kind is ActivityKind.Client or ActivityKind.Server)
        {
            json.WriteString("kind", span.Kind == ActivityKind.Client ? "CLIENT" : "SERVER");
        }

        // Zipkin reads 0 as "not known".
        json.WriteNumber("timestamp", Microseconds(span.Began));
        json.WriteNumber("duration", Math.Max(1, span.Duration.Ticks / TimeSpan.TicksPerMicrosecond));
        json.WriteStartObject("localEndpoint");
        json.WriteString("serviceName", serviceName);
        json.WriteEndObject();
        WriteRemote(json, span);
        if (span.Events.Length > 0)
        {
            json.WriteStartArray("annotations");
            foreach (var happened in span.Events)
            {
                json.WriteStartObject();
                json.WriteNumber("timestamp", Microseconds(happened.Timestamp));
                json.WriteString("value", happened.Tags.Any() ? $"{happened.Name} {string.Join(' ', happened.Tags.Select(tag => $"{tag.Key}={Text(tag.Value)}"))}" : happened.Name);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        json.WriteStartObject("tags");
        foreach (var (name, value) in span.Tags)
        {
            if (value is not null)
            {
                json.WriteString(name, Text(value));
            }
        }

        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteRemote(Utf8JsonWriter json, FinishedSpan span)
    {
        var service = span.Kind == ActivityKind.Client ? span.TagOf("server.address") : null;
        var isAddress = IPAddress.TryParse(span.TagOf("network.peer.address"), out var address);
        if (service is null && !isAddress)
        {
            return;
        }

        json.WriteStartObject("remoteEndpoint");
        if (service is not null)
        {
            json.WriteString("serviceName", service);
        }

        if (isAddress)
        {
            address = address!.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
            json.WriteString(address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 ? "ipv6" : "ipv4", address.ToString());
            if (int.TryParse(span.TagOf("network.peer.port"), NumberStyles.None, CultureInfo.InvariantCulture, out var port))
            {
                json.WriteNumber("port", port);
            }
        }

        json.WriteEndObject();
    }

    private static long Microseconds(DateTimeOffset time) => (time - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;

    private static string Text(object? value)
        => value switch
        {
            null => "",
            string text => text,
            bool flag => flag ? "true" : "false",
            IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
            _ => value.ToString() ?? "",
        };
}
