namespace Mesh.EndToEnd.Tests.Resilience;

/// <summary>A first VirtualService, and the retries that every route has without asking.</summary>
public sealed class DefaultRetryLabs
{
    private const string Details = "http://details:9080/details/0";

    private const string FirstRule = """
        kind: VirtualService
        apiVersion: networking.istio.io/v1beta1
        metadata: {name: details-vs, namespace: default}
        spec:
          hosts: [details]
          http: [{route: [{destination: {host: details}}]}]
        """;

    // The lab says that the rule brings retries, "up to 3": they are there without it, and two, so three attempts in all. Nor does it bring
    // PERMISSIVE, which belongs to mutual TLS; neither that nor Kiali's icon is in.
    [Fact]
    [Trait("Lab", "A3-09")]
    public async Task A_request_is_tried_three_times_with_the_first_rule_and_without()
    {
        await using var mesh = await PodMesh.StartAsync(LabYaml.Service("details", 9080));
        var dead = await mesh.AddPodAsync("details");
        var caller = mesh.Caller();
        (await caller.AskAsync(Details)).Status.ShouldBe(200);
        await dead.StopAsync();

        var without = await mesh.ThroughBackOffsAsync(caller.AskAsync(Details));
        await mesh.ApplyAsync(FirstRule);
        var with = await mesh.ThroughBackOffsAsync(caller.AskAsync(Details));

        (without.Status, without.Attempts).ShouldBe((503, 3));
        (with.Status, with.Attempts, with.Flags).ShouldBe((503, 3, without.Flags));
    }

    [Fact]
    [Trait("Lab", "A3-09")]
    public async Task A_pod_that_is_gone_costs_an_attempt_and_no_request()
    {
        await using var mesh = await PodMesh.StartAsync(LabYaml.Service("details", 9080) + FirstRule);
        await mesh.AddPodAsync("details");
        var caller = mesh.Caller();
        (await caller.CountAsync(Details, 40)).ShouldBe(new Dictionary<string, int> { ["v1"] = 40 });
        await (await mesh.AddPodAsync("details")).StopAsync();

        var answers = new List<LabAnswer>();
        for (var i = 0; i < 40; i++)
        {
            answers.Add(await mesh.ThroughBackOffsAsync(caller.AskAsync(Details)));
        }

        answers.ShouldAllBe(answer => answer.Status == 200 && answer.Attempts <= 3);
        answers.ShouldContain(answer => answer.Attempts > 1);
    }

    [Theory]
    [InlineData(false, 1)]
    [InlineData(true, 3)]
    [Trait("Lab", "A3-09")]
    public async Task A_status_of_503_is_retried_only_where_the_mesh_is_told_to_be_as_it_was(bool retry503, int attempts)
    {
        await using var mesh = await PodMesh.StartAsync(
            LabYaml.Service("details", 9080) + FirstRule, configure: options => options.Compat.Retry503 = retry503);
        var pod = await mesh.AddPodAsync("details");
        var caller = mesh.Caller();
        (await caller.AskAsync(Details)).Status.ShouldBe(200);
        pod.Answer(503);

        (await mesh.ThroughBackOffsAsync(caller.AskAsync(Details))).Status.ShouldBe(503);
        pod.Served.ShouldBe(1 + attempts);
    }
}
