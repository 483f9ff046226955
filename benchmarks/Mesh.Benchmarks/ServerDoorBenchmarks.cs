using System.Net;
using System.Net.Sockets;
using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Envoy.Config.Rbac.V3;
using Envoy.Config.Route.V3;
using Envoy.Extensions.Filters.Http.Router.V3;
using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Envoy.Type.Matcher.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Filters;
using Mesh.DataPlane.Inbound;
using Mesh.DataPlane.Inbound.Http;
using Mesh.Server.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using HttpRbac = Envoy.Extensions.Filters.Http.Rbac.V3.RBAC;

namespace Mesh.Benchmarks;

/// <summary>A keep-alive request to Kestrel: without the mesh, through a port that has no listener, through one without filters, and with authorization.</summary>
[MemoryDiagnoser]
[Config(typeof(Short))]
public class ServerDoorBenchmarks
{
    private static readonly byte[] Request = "GET /api/v1/products/7?full=true HTTP/1.1\r\nHost: reviews:9080\r\nAccept: application/json\r\nUser-Agent: bench\r\nx-request-id: 5f1c\r\nx-forwarded-proto: http\r\n\r\n"u8.ToArray();

    private readonly byte[] _buffer = new byte[4096];
    private readonly List<WebApplication> _apps = [];
    private Socket _bare = null!;
    private Socket _unmeshed = null!;
    private Socket _listener = null!;
    private Socket _authorized = null!;

    [GlobalSetup]
    public async Task SetupAsync()
    {
        _bare = await StartAsync(hasDoor: false, null);
        _unmeshed = await StartAsync(hasDoor: true, null);
        _listener = await StartAsync(hasDoor: true, Table());
        _authorized = await StartAsync(hasDoor: true, Table(Deny()));
    }

    [GlobalCleanup]
    public async Task CleanupAsync()
    {
        foreach (var app in _apps)
        {
            await app.DisposeAsync();
        }
    }

    [Benchmark(Baseline = true)]
    public int Bare() => Send(_bare);

    [Benchmark]
    public int Port_without_a_listener() => Send(_unmeshed);

    [Benchmark]
    public int Listener_without_filters() => Send(_listener);

    [Benchmark]
    public int Listener_with_authorization() => Send(_authorized);

    private static InboundHttpTable Table(params HttpFilter[] filters)
    {
        var manager = new HttpConnectionManager
        {
            StatPrefix = "inbound",
            NormalizePath = true,
            RouteConfig = new RouteConfiguration
            {
                Name = "inbound",
                VirtualHosts = { new VirtualHost { Name = "inbound", Domains = { "*" }, Routes = { new Route { Match = new RouteMatch { Prefix = "/" }, NonForwardingAction = new() } } } },
            },
            HttpFilters = { filters.Append(new HttpFilter { Name = "envoy.filters.http.router", TypedConfig = Any.Pack(new Router()) }) },
        };
        return new InboundHttpTable(InboundHttpCompiler.Compile(Any.Pack(manager), "hcm", FilterTypes.BuiltIn, []), new FilterServices(TimeProvider.System, SystemRandomSource.Instance));
    }

    private static HttpFilter Deny() => new()
    {
        Name = "envoy.filters.http.rbac",
        TypedConfig = Any.Pack(new HttpRbac
        {
            Rules = new RBAC
            {
                Action = RBAC.Types.Action.Deny,
                Policies =
                {
                    ["admin"] = new Policy
                    {
                        Permissions = { new Permission { UrlPath = new PathMatcher { Path = new StringMatcher { Prefix = "/admin" } } } },
                        Principals = { new Principal { Any = true } },
                    },
                },
            },
        }),
    };

    private async Task<Socket> StartAsync(bool hasDoor, InboundHttpTable? table)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            // One connection rests while another is measured.
            kestrel.Limits.KeepAliveTimeout = Timeout.InfiniteTimeSpan;
            kestrel.Listen(IPAddress.Loopback, 0, listen => Configure(listen, table));
        });
        var app = builder.Build();
        if (hasDoor)
        {
            app.Use(ServerDoor.InvokeAsync);
        }

        app.Run(context =>
        {
            context.Response.ContentLength = 2;
            return context.Response.WriteAsync("ok");
        });
        await app.StartAsync();
        _apps.Add(app);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPEndPoint.Parse(new Uri(app.Urls.First()).Authority));
        return socket;
    }

    private static void Configure(ListenOptions listen, InboundHttpTable? table)
    {
        if (table is not null)
        {
            listen.Use(next => context =>
            {
                context.Features.Set<IInboundConnection>(new Connection(
                    new ConnectionFacts { RemoteEndPoint = (IPEndPoint)context.RemoteEndPoint!, LocalEndPoint = (IPEndPoint)context.LocalEndPoint! }, table));
                return next(context);
            });
        }
    }

    private int Send(Socket socket)
    {
        socket.Send(Request);
        var read = 0;
        do
        {
            var count = socket.Receive(_buffer, read, _buffer.Length - read, SocketFlags.None);
            if (count == 0)
            {
                throw new InvalidOperationException("The server has closed the connection.");
            }

            read += count;
        }
        while (!_buffer.AsSpan(0, read).EndsWith("\r\n\r\nok"u8));
        return read;
    }

    // A round trip over loopback moves by a tenth however long it is measured.
    private sealed class Short : ManualConfig
    {
        public Short() => AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance));
    }

    private sealed record Connection(ConnectionFacts Facts, InboundHttpTable Http) : IInboundConnection;
}
