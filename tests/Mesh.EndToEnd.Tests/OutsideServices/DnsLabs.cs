using Mesh.TestNet;

namespace Mesh.EndToEnd.Tests.OutsideServices;

/// <summary>Hosts outside that are found by name, when some of their addresses do not answer.</summary>
public sealed class DnsLabs
{
    [Fact]
    public async Task A_host_is_called_without_a_failure_as_long_as_one_of_its_addresses_answers()
    {
        await using var net = OutsideNet.Start();
        var host = await net.AddHostAsync("api.example.com");
        net.Names.Set("api.example.com", 60, net.NextAddress(), host.Address, net.NextAddress());
        await using var mesh = await PodMesh.StartAsync(
            $$"""
            apiVersion: networking.istio.io/v1
            kind: ServiceEntry
            metadata: {name: api}
            spec:
              hosts: [api.example.com]
              location: MESH_EXTERNAL
              ports:
              - {number: 80, name: http, protocol: HTTP, targetPort: {{OutsideNet.LocalPort(80)}}}
              resolution: DNS_ROUND_ROBIN
            ---
            apiVersion: networking.istio.io/v1
            kind: DestinationRule
            metadata: {name: api}
            spec:
              host: api.example.com
              trafficPolicy:
                connectionPool:
                  http: {maxRequestsPerConnection: 1}
            """,
            outside: net);
        var caller = mesh.Caller();

        for (var i = 0; i < 12; i++)
        {
            (await caller.AskAsync("http://api.example.com/v1")).Status.ShouldBe(200);
        }

        host.Seen.Count.ShouldBe(12);
        net.Dns.Seen.Count(q => q.Name == "api.example.com.").ShouldBe(1);
    }
}
