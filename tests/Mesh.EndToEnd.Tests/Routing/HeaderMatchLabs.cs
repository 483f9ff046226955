namespace Mesh.EndToEnd.Tests.Routing;

/// <summary>Some users see another version than everybody else.</summary>
public sealed class HeaderMatchLabs
{
    private const string Reviews = "http://reviews:9080/reviews/0";

    [Fact]
    [Trait("Lab", "C1")]
    public async Task The_header_of_one_user_leads_to_one_version_and_everybody_else_to_another()
    {
        await using var mesh = await PodMesh.StartAsync(LabYaml.Service("reviews", 9080) + LabYaml.Subsets("reviews", "v1", "v2", "v3") + LabYaml.VirtualService("reviews", """
            - match: [{headers: {end-user: {exact: jason}}}]
              route: [{destination: {host: reviews, subset: v2}}]
            - route: [{destination: {host: reviews, subset: v3}}]
            """));
        foreach (var version in new[] { "v1", "v2", "v3" })
        {
            await mesh.AddPodAsync("reviews", version);
        }

        var productpage = mesh.Caller(new MeshWorkload("productpage"));
        (await productpage.CountAsync(Reviews, 50, ("end-user", "jason"))).ShouldBe(new Dictionary<string, int> { ["v2"] = 50 });
        (await productpage.CountAsync(Reviews, 50, ("End-User", "jason"))).Keys.ShouldBe(["v2"], ignoreOrder: true, "names of headers have no case");
        (await productpage.CountAsync(Reviews, 50)).ShouldBe(new Dictionary<string, int> { ["v3"] = 50 });
        foreach (var other in new[] { "Jason", "jason2", "mary", "" })
        {
            (await productpage.CountAsync(Reviews, 10, ("end-user", other))).Keys.ShouldBe(["v3"], ignoreOrder: true, other);
        }
    }
}
