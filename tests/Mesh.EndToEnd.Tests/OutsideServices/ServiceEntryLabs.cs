using Mesh.TestNet;
using Microsoft.AspNetCore.Http;

namespace Mesh.EndToEnd.Tests.OutsideServices;

/// <summary>Hosts outside, written down by name.</summary>
public sealed class ServiceEntryLabs
{
    [Fact]
    [Trait("Lab", "C4")]
    public async Task Three_hosts_of_one_entry_are_each_called_by_its_own_name_over_TLS()
    {
        string[] names = ["api.dropboxapi.com", "www.googleapis.com", "api.facebook.com"];
        await using var net = OutsideNet.Start(SystemTrust.Authority);
        var hosts = new List<OutsideHost>();
        foreach (var name in names)
        {
            hosts.Add(await net.AddHostAsync(name));
        }

        await using var mesh = await PodMesh.StartAsync(
            $$"""
            apiVersion: networking.istio.io/v1beta1
            kind: ServiceEntry
            metadata:
              name: external-svc-https
            spec:
              hosts:
              - api.dropboxapi.com
              - www.googleapis.com
              - api.facebook.com
              location: MESH_EXTERNAL
              ports:
              - number: 443
                name: https
                protocol: TLS
                targetPort: {{OutsideNet.LocalPort(443)}}
              resolution: DNS
            """,
            outside: net);
        var caller = mesh.Caller();

        foreach (var (name, host) in names.Zip(hosts))
        {
            var answer = await caller.AskAsync($"https://{name}/v1");
            (answer.Status, answer.Body).ShouldBe((200, $"{name} /v1"));
            host.Seen.ShouldHaveSingleItem().ShouldSatisfyAllConditions(
                seen => seen.Scheme.ShouldBe("https"),
                seen => seen.Host.ShouldBe(name),
                seen => seen.ServerName.ShouldBe(name));
        }

        mesh.Engines[0].Hosts.All.Count(entry => entry.State.Status == Mesh.DataPlane.Hosts.HostStatus.Meshed).ShouldBe(3, "they are the mesh's, and nothing passed it by");
    }

    [Fact]
    [Trait("Lab", "L000-21")]
    public async Task A_host_without_a_dot_is_refused_and_an_address_is_not()
    {
        const string entry = """
            apiVersion: networking.istio.io/v1alpha3
            kind: ServiceEntry
            metadata: {name: metadata-ext}
            spec:
              hosts:
              - metadata.google.internal
              - 169.254.169.254
              HOST
              ports:
              - {number: 80, name: http, protocol: HTTP}
              resolution: DNS
              location: MESH_EXTERNAL
            """;
        await using var mesh = await PodMesh.StartAsync("");

        mesh.Refusals(entry.Replace("HOST", "- metadata", StringComparison.Ordinal)).ShouldHaveSingleItem().ShouldStartWith(
            "memory:8:5: error IST0106: ServiceEntry default/metadata-ext: spec.hosts[2]: invalid host metadata");
        mesh.Refusals(entry.Replace("HOST", "", StringComparison.Ordinal)).ShouldBeEmpty();
    }

    [Fact]
    [Trait("Lab", "L004-10")]
    public async Task An_ExternalName_makes_a_host_outside_callable_by_a_name_of_the_cluster()
    {
        await using var net = OutsideNet.Start();
        var httpbin = await net.AddHostAsync("httpbin.org", options => options.Answer = context => context.Response.WriteAsJsonAsync(
            new { headers = context.Request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString()) }));
        await using var mesh = await PodMesh.StartAsync("", outside: net);
        var sleep = mesh.Caller(new MeshWorkload("sleep"));
        (await sleep.AskAsync("http://externalbin/headers")).Status.ShouldBe(503);

        await mesh.ApplyAsync($$"""
            apiVersion: v1
            kind: Service
            metadata: {name: externalbin}
            spec:
              type: ExternalName
              externalName: httpbin.org
              ports: [{port: 80, name: http, targetPort: {{OutsideNet.LocalPort(80)}}}]
            """);

        var answer = await sleep.AskAsync("http://externalbin/headers");
        answer.Status.ShouldBe(200, answer.Body);
        answer.Body.ShouldContain("\"Host\":\"httpbin.org\"");
        httpbin.Seen.ShouldHaveSingleItem().Target.ShouldBe("/headers");
    }
}
