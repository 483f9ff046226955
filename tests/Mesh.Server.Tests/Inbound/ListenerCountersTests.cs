using System.Buffers;
using System.Globalization;
using System.Text;
using Mesh.TestNet;
using Mesh.Xds.Metrics;
using Microsoft.Extensions.DependencyInjection;

namespace Mesh.Server.Tests.Inbound;

/// <summary>What a port counts of its connections, over real sockets.</summary>
public sealed class ListenerCountersTests
{
    [Fact]
    public async Task Who_is_let_in_and_why_others_are_not_is_counted()
    {
        await using var app = await InboundApp.StartAsync();
        app.SetStrict();
        using var other = new TestCertificateAuthority();

        using var client = MeshCaller.Secure(app.Port, app.Workload(), "istio-http/1.1");
        (await client.GetStringAsync("/who")).ShouldStartWith("HTTP/1.1");
        (Count(app, "downstream_cx_total"), Count(app, "downstream_cx_active"), Count(app, "downstream_cx_destroy"), Count(app, "ssl_handshake")).ShouldBe((1, 1, 0, 1));

        (await MeshCaller.IsRefusedAsync(app.Port, null, "istio-http/1.1")).ShouldBeTrue();
        (await MeshCaller.IsRefusedAsync(app.Port, other.Issue("spiffe://cluster.local/ns/default/sa/client"), "istio-http/1.1")).ShouldBeTrue();
        await using (var plain = await MeshCaller.ConnectAsync(app.Port))
        {
            await plain.WriteAsync("GET /who HTTP/1.1\r\nHost: app\r\n\r\n"u8.ToArray());
            await Should.ThrowAsync<IOException>(async () => await plain.ReadExactlyAsync(new byte[1]));
        }

        // TLS tells a client that it failed before the server has counted it.
        await app.UntilAsync(() => Count(app, "ssl_fail_verify_no_cert") + Count(app, "ssl_fail_verify_error") == 2);
        (Count(app, "ssl_fail_verify_no_cert"), Count(app, "ssl_fail_verify_error"), Count(app, "ssl_connection_error")).ShouldBe((1, 1, 1));
        (Count(app, "downstream_cx_total"), Count(app, "ssl_handshake"), Count(app, "ssl_no_certificate"), Count(app, "no_filter_chain_match")).ShouldBe((4, 1, 0, 0));
    }

    [Fact]
    public async Task A_connection_that_is_over_is_open_no_more()
    {
        await using var app = await InboundApp.StartAsync();
        app.SetPermissive();
        using (var plain = MeshCaller.Plain(app.Port))
        {
            (await plain.GetStringAsync("/who")).ShouldStartWith("HTTP/1.1");
            Count(app, "downstream_cx_active").ShouldBe(1);
        }

        await app.UntilAsync(() => Count(app, "downstream_cx_active") == 0);
        (Count(app, "downstream_cx_total"), Count(app, "downstream_cx_destroy")).ShouldBe((1, 1));
    }

    [Fact]
    public async Task The_certificate_of_a_port_tells_when_it_expires()
    {
        await using var app = await InboundApp.StartAsync();
        app.SetStrict();
        using var client = MeshCaller.Secure(app.Port, app.Workload(), "istio-http/1.1");
        (await client.GetStringAsync("/who")).ShouldStartWith("HTTP/1.1");

        var line = Lines(app, "envoy_listener_ssl_certificate_expiration_unix_time_seconds{").ShouldHaveSingleItem();
        line.ShouldContain($"envoy_listener_address=\"127.0.0.1_{app.Port}\"");
        double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture).ShouldBeGreaterThan(1_000_000_000);
    }

    private static double Count(InboundApp app, string name)
    {
        var line = Lines(app, $"envoy_listener_{name}{{envoy_listener_address=\"127.0.0.1_{app.Port}\"}}").ShouldHaveSingleItem(name);
        return double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture);
    }

    private static string[] Lines(InboundApp app, string begin)
    {
        var output = new ArrayBufferWriter<byte>();
        PrometheusText.Write(app.App.Services.GetRequiredService<MetricRegistry>(), output);
        return [.. Encoding.UTF8.GetString(output.WrittenSpan).Split('\n').Where(line => line.StartsWith(begin, StringComparison.Ordinal))];
    }
}
