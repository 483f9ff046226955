using Mesh.TestNet;
using Microsoft.AspNetCore.Http;

namespace Mesh.EndToEnd.Tests.OutsideServices;

/// <summary>
/// A cloud's metadata server by the three names that libraries call it: in full, by one word, and by its address. Where the labs' Istio 1.1 answered
/// 404 for hosts that nobody has written down, Istio answers 502 since 1.3, and so does this mesh.
/// </summary>
public sealed class MetadataLabs
{
    private const string Path = "/computeMetadata/v1/project/project-id";
    private const string Metadata = "http://myapp.default.svc.cluster.local:8080/metadata";

    [Fact]
    [Trait("Lab", "L000-19")]
    public async Task Without_a_rule_nobody_reaches_the_metadata_server_by_any_of_its_names()
    {
        await using var net = OutsideNet.Start(SystemTrust.Authority);
        var server = await MetadataServerAsync(net);
        await using var mesh = await PodMesh.StartAsync(LabYaml.Service("myapp", 8080), outside: net);
        await mesh.AddAppAsync("myapp");

        var fetched = FetchedUrl.Read((await mesh.Caller().AskAsync(Metadata)).Body);

        // A single word is a name of the mesh's own and of nobody else's: such a service is not known, which is not the same as refused.
        fetched.Select(line => (line.Url, line.Status, line.Body?.Length == 0)).ShouldBe(
        [
            ("http://metadata.google.internal" + Path, 502, true),
            ("http://metadata" + Path, 503, false),
            ("http://169.254.169.254" + Path, 502, true),
        ]);
        server.Seen.ShouldBeEmpty();
    }

    [Fact]
    [Trait("Lab", "L000-20")]
    public async Task A_service_entry_with_the_full_name_and_the_address_lets_those_two_through()
    {
        await using var net = OutsideNet.Start(SystemTrust.Authority);
        var server = await MetadataServerAsync(net);
        await using var mesh = await PodMesh.StartAsync(LabYaml.Service("myapp", 8080), outside: net);
        await mesh.AddAppAsync("myapp");
        var curl = mesh.Caller();
        FetchedUrl.Read((await curl.AskAsync(Metadata)).Body).ShouldAllBe(line => line.Status >= 500);

        // The entry of the lab has resolution DNS; nobody shall look for 169.254.169.254 on the machine that runs this.
        await mesh.ApplyAsync($$"""
            apiVersion: networking.istio.io/v1alpha3
            kind: ServiceEntry
            metadata: {name: metadata-ext}
            spec:
              hosts:
              - metadata.google.internal
              - 169.254.169.254
              ports:
              - {number: 80, name: http, protocol: HTTP}
              resolution: DNS
              location: MESH_EXTERNAL
              endpoints:
              - {address: metadata.google.internal, ports: {http: {{OutsideNet.LocalPort(80)}} } }
            """);

        FetchedUrl.Read((await curl.AskAsync(Metadata)).Body).Select(line => (line.Status, line.Status == 200 ? line.Body : null)).ShouldBe(
        [
            (200, "mineral-minutia-820"),
            (503, null),
            (200, "mineral-minutia-820"),
        ]);
        server.Seen.Select(seen => (seen.Host, seen.Target, seen.Headers["Metadata-Flavor"])).ShouldBe(
            [("metadata.google.internal", Path, "Google"), ("169.254.169.254", Path, "Google")], ignoreOrder: true);

        await mesh.DeleteAsync("ServiceEntry", "metadata-ext");
        FetchedUrl.Read((await curl.AskAsync(Metadata)).Body).ShouldAllBe(line => line.Status >= 500);
    }

    // The single word has an address too, as Google's machines say: DNS is not what keeps it out.
    private static Task<OutsideHost> MetadataServerAsync(OutsideNet net) => net.AddHostAsync("metadata.google.internal", options =>
    {
        options.HttpsPort = null;
        options.Names.Add("metadata");
        options.Names.Add("169.254.169.254");
        options.Answer = context => context.Response.WriteAsync(context.Request.Path == Path ? "mineral-minutia-820" : "");
    });
}
