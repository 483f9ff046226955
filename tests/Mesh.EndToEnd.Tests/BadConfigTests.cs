namespace Mesh.EndToEnd.Tests;

/// <summary>Rules that cannot be followed fail where they apply, and nowhere else.</summary>
public sealed class BadConfigTests
{
    [Fact]
    public async Task An_unknown_subset_fails_only_the_route_that_names_it_and_is_reported()
    {
        await using var lab = new MeshLab();
        lab.Folder.Save("services.yaml", Yaml.Service("echo", "http", "v1"));
        lab.Folder.Save("rules.yaml", Yaml.VirtualService("echo", """
            - match: [{uri: {prefix: /broken}}]
              route: [{destination: {host: echo, subset: nowhere}}]
            - route: [{destination: {host: echo, subset: v1}}]
            """));
        await lab.StartControlPlaneAsync();
        await lab.StartWorkloadAsync("echo");
        await lab.WhenRegisteredAsync("echo", 1);
        var caller = await lab.StartCallerAsync();

        (await CallAsync(caller, "http://echo/broken/1")).Status.ShouldBe(503);
        (await CallAsync(caller, "http://echo/broken/1")).Flags.ShouldBe("NC");
        (await CallAsync(caller, "http://echo/fine")).Status.ShouldBe(200);
        var told = lab.ControlPlane.Config.Diagnostics.ShouldHaveSingleItem();
        told.ToString().ShouldContain("nowhere");
        told.File.ShouldEndWith("rules.yaml");
        told.Line.ShouldBe(9);
    }

    [Fact]
    public async Task A_rule_for_a_service_that_does_not_exist_is_reported_and_leaves_the_others_alone()
    {
        await using var lab = new MeshLab();
        lab.Folder.Save("services.yaml", Yaml.Service("echo", "http", "v1"));
        lab.Folder.Save("rules.yaml", Yaml.VirtualService("echo", """
            - match: [{uri: {prefix: /lost}}]
              route: [{destination: {host: nobody}}]
            - route: [{destination: {host: echo}}]
            """));
        await lab.StartControlPlaneAsync();
        await lab.StartWorkloadAsync("echo");
        await lab.WhenRegisteredAsync("echo", 1);
        var caller = await lab.StartCallerAsync();

        (await CallAsync(caller, "http://echo/lost")).Status.ShouldBe(503);
        (await CallAsync(caller, "http://echo/")).Status.ShouldBe(200);
        lab.ControlPlane.Config.Diagnostics.ShouldContain(d => d.ToString().Contains("nobody", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_name_of_the_mesh_that_nobody_has_is_answered_here_and_never_looked_up_in_dns()
    {
        await using var lab = new MeshLab();
        lab.Folder.Save("services.yaml", Yaml.Service("echo"));
        await lab.StartControlPlaneAsync();
        var caller = await lab.StartCallerAsync();

        var (status, flags, body) = await CallAsync(caller, "http://ech0/");

        status.ShouldBe(503);
        flags.ShouldBe("NR");
        body.ShouldContain("ech0:80");
    }

    [Fact]
    public async Task With_registry_only_the_world_outside_is_refused()
    {
        await using var lab = new MeshLab();
        lab.Folder.Save("services.yaml", Yaml.Service("echo"));
        await lab.StartControlPlaneAsync();
        await lab.StartWorkloadAsync("echo");
        await lab.WhenRegisteredAsync("echo", 1);
        var caller = await lab.StartCallerAsync(options => options.Client.OutboundTrafficPolicy = OutboundTrafficMode.RegistryOnly);

        (await CallAsync(caller, "http://example.com/")).Status.ShouldBe(502);
        (await CallAsync(caller, "http://echo/")).Status.ShouldBe(200);
        var refused = await Should.ThrowAsync<HttpRequestException>(() => caller.Client.GetAsync("https://example.com/"));
        refused.Message.ShouldContain("example.com");
        refused.Message.ShouldContain("ServiceEntry");
    }

    private static async Task<(int Status, string Flags, string Body)> CallAsync(Caller caller, string uri)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, uri);
        using var response = await caller.Client.SendAsync(request).OrHang();
        return ((int)response.StatusCode, request.Options.TryGetValue(MeshRequest.ResponseFlags, out var flags) ? flags : "", await response.Content.ReadAsStringAsync());
    }
}
