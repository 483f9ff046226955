using Envoy.Config.Listener.V3;
using Envoy.Extensions.Filters.Network.TcpProxy.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Hosts;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Transports;
using Mesh.Testing;

namespace Mesh.DataPlane.Tests.Hosts;

/// <summary>A host for which the control plane has a listener, but none for requests.</summary>
public sealed class TcpListenerHostTests
{
    private readonly ManualTimeProvider _time = new();
    private readonly ScriptedXdsClient _client = new();

    [Fact]
    public async Task Requests_to_it_fail_and_go_nowhere_else()
    {
        await using var engine = new MeshEngine(_client, new MeshOptions(), new SocketTransportFactory(_time), new SequenceRandomSource(1), _time);
        var host = engine.Hosts.ResolveAsync("db.example.com", 3306, CancellationToken.None).AsTask();

        _client.Set(ListenerType.Instance, new Listener
        {
            Name = "db.example.com:3306",
            FilterChains = { new FilterChain { Filters = { new Filter { Name = "tcp", TypedConfig = Any.Pack(new TcpProxy { StatPrefix = "db", Cluster = "db" }) } } } },
        });

        var state = (await host.WaitAsync(TimeSpan.FromSeconds(30)))!.State;
        state.Status.ShouldBe(HostStatus.Failed);
        state.Error.ShouldBe("the listener db.example.com:3306 is for connections that are not HTTP");
    }
}
