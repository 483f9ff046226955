using System.Net.Sockets;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Transports;
using Mesh.Xds.Client;
using EnvoyOptions = Envoy.Extensions.Upstreams.Http.V3.HttpProtocolOptions;
using TcpKeepalive = Mesh.DataPlane.Transports.TcpKeepalive;

namespace Mesh.DataPlane.Tests.Transports;

public class TransportSettingsCompilerTests
{
    private const string Key = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

    [Fact]
    public void The_defaults_are_Envoys()
    {
        var settings = Decode(_ => { }).Policy.Transport;
        settings.ShouldBe(new TransportSettings(UpstreamProtocol.Http11, TimeSpan.FromSeconds(5)));
        settings.IdleTimeout.ShouldBe(TimeSpan.FromHours(1));
    }

    [Fact]
    public void The_extension_says_everything_about_the_connections()
    {
        var resource = Decode(c => c.TypedExtensionProtocolOptions.Add(Key, Any.Pack(new EnvoyOptions
        {
            CommonHttpProtocolOptions = new()
            {
                IdleTimeout = Seconds(10),
                MaxConnectionDuration = Seconds(20),
                MaxHeadersCount = 30,
                MaxResponseHeadersKb = 40,
                MaxRequestsPerConnection = 50,
            },
            UseDownstreamProtocolConfig = new()
            {
                Http2ProtocolOptions = new() { InitialStreamWindowSize = 70_000, ConnectionKeepalive = new() { Interval = Seconds(60), Timeout = Seconds(5) } },
            },
        })));
        resource.Notes.ShouldBeEmpty();
        resource.Policy.Transport.ShouldBe(new TransportSettings(UpstreamProtocol.Downstream, TimeSpan.FromSeconds(5))
        {
            IdleTimeout = TimeSpan.FromSeconds(10),
            MaxConnectionDuration = TimeSpan.FromSeconds(20),
            MaxHeadersCount = 30,
            MaxResponseHeadersKb = 40,
            MaxRequestsPerConnection = 50,
            InitialStreamWindowSize = 70_000,
            KeepaliveInterval = TimeSpan.FromSeconds(60),
            KeepaliveTimeout = TimeSpan.FromSeconds(5),
        });
    }

#pragma warning disable CS0612
    [Fact]
    public void Without_the_extension_the_older_fields_count()
    {
        var settings = Decode(c =>
        {
            c.Http2ProtocolOptions = new() { InitialStreamWindowSize = 100_000 };
            c.CommonHttpProtocolOptions = new() { IdleTimeout = Seconds(0) };
        }).Policy.Transport;
        (settings.Protocol, settings.InitialStreamWindowSize, settings.IdleTimeout).ShouldBe((UpstreamProtocol.Http2, 100_000u, Timeout.InfiniteTimeSpan));
    }

    [Fact]
    public void With_the_extension_the_older_fields_do_not_count()
    {
        var settings = Decode(c =>
        {
            c.Http2ProtocolOptions = new();
            c.CommonHttpProtocolOptions = new() { IdleTimeout = Seconds(3) };
            c.TypedExtensionProtocolOptions.Add(Key, Any.Pack(new EnvoyOptions { AutoConfig = new() }));
        }).Policy.Transport;
        (settings.Protocol, settings.IdleTimeout).ShouldBe((UpstreamProtocol.Http11, TimeSpan.FromHours(1)));
    }
#pragma warning restore CS0612

    [Fact]
    public void What_the_handler_cannot_do_is_told_by_field()
    {
        var notes = Decode(c => c.TypedExtensionProtocolOptions.Add(Key, Any.Pack(new EnvoyOptions
        {
            CommonHttpProtocolOptions = new() { MaxStreamDuration = Seconds(1) },
            UpstreamHttpProtocolOptions = new() { AutoSni = true },
            ExplicitHttpConfig = new() { Http2ProtocolOptions = new() { MaxConcurrentStreams = 10, InitialConnectionWindowSize = 100_000, AllowMetadata = true } },
        }))).Notes;
        notes.Count.ShouldBe(3);
        notes.ShouldContain($"typed_extension_protocol_options[{Key}].explicit_http_config.http2_protocol_options.initial_connection_window_size has no effect");
    }

    [Fact]
    public void What_is_said_of_requests_is_the_clusters_and_not_the_connections()
    {
        var requests = Decode(c => c.TypedExtensionProtocolOptions.Add(Key, Any.Pack(new EnvoyOptions
        {
            CommonHttpProtocolOptions = new() { MaxStreamDuration = Seconds(1) },
            RetryPolicy = new() { RetryOn = "5xx", NumRetries = 3 },
            ExplicitHttpConfig = new() { HttpProtocolOptions = new() },
        }))).Policy.Requests.ShouldNotBeNull();

        requests.MaxStreamDuration.ShouldBe(TimeSpan.FromSeconds(1));
        requests.Retry!.NumRetries.ShouldBe(3u);
        Decode(_ => { }).Policy.Requests.ShouldBeNull();
#pragma warning disable CS0612
        Decode(c => c.CommonHttpProtocolOptions = new() { MaxStreamDuration = Seconds(2) }).Policy.Requests!.MaxStreamDuration.ShouldBe(TimeSpan.FromSeconds(2));
#pragma warning restore CS0612
    }

    [Fact]
    public void A_protocol_that_is_not_spoken_is_refused()
        => Should.Throw<ResourceRejectedException>(() => Decode(c => c.TypedExtensionProtocolOptions.Add(Key, Any.Pack(new EnvoyOptions { ExplicitHttpConfig = new() }))))
            .Field.ShouldStartWith($"typed_extension_protocol_options[{Key}].explicit_http_config");

    [Fact]
    public void Keepalive_is_set_on_the_socket()
    {
        var keepalive = Decode(c => c.UpstreamConnectionOptions = new()
        {
            TcpKeepalive = new() { KeepaliveProbes = 4, KeepaliveTime = 50, KeepaliveInterval = 6 },
        }).Policy.Transport.TcpKeepalive;
        keepalive.ShouldBe(new TcpKeepalive(4, 50, 6));

        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        keepalive!.Apply(socket);
        ((int)socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive)!).ShouldNotBe(0);
        socket.GetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount).ShouldBe(4);
        socket.GetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime).ShouldBe(50);
        socket.GetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval).ShouldBe(6);
    }

    private static Duration Seconds(int seconds) => Duration.FromTimeSpan(TimeSpan.FromSeconds(seconds));

    private static ClusterResource Decode(Action<Envoy.Config.Cluster.V3.Cluster> change)
    {
        var cluster = Resources.Cluster("c");
        change(cluster);
        return (ClusterResource)ClusterType.Instance.Decode(cluster.ToByteString(), out _);
    }
}
