namespace Mesh.EndToEnd.Tests.Locality;

/// <summary>Where pods run decides who is called: the near ones, unless they fail or the rule distributes otherwise.</summary>
public sealed class LocalityLabs
{
    private const string Simple = "http://simple-backend/";

    [Fact]
    [Trait("Lab", "Locality failover")]
    public async Task Pods_of_another_region_are_called_while_those_of_the_own_region_are_ejected_and_no_longer()
    {
        await using var mesh = await PodMesh.StartAsync(LabYaml.Service("simple-backend") + LabYaml.DestinationRule("simple-backend", """
            trafficPolicy:
              loadBalancer:
                simple: ROUND_ROBIN
                localityLbSetting: {enabled: true, failover: [{from: us-west, to: us-east}]}
              outlierDetection: {consecutive5xxErrors: 100, interval: 1s, baseEjectionTime: 1m, maxEjectionPercent: 100}
            """));
        var west = await mesh.AddPodAsync("simple-backend", "west", locality: "us-west/us-west-a");
        await mesh.AddPodAsync("simple-backend", "east", locality: "us-east/us-east-a");
        await mesh.AddPodAsync("simple-backend", "east", locality: "us-east/us-east-b");
        await mesh.AddPodAsync("simple-backend", "europe", locality: "eu-central/eu-central-a");
        var caller = mesh.Caller(new MeshWorkload("simple-web") { Locality = "us-west/us-west-a" });
        (await caller.CountAsync(Simple, 100)).ShouldBe(new Dictionary<string, int> { ["west"] = 100 });

        // The hundredth error in a row ejects; until then every error is the caller's.
        west.Answer(500);
        (await caller.CountAsync(Simple, 100)).ShouldBe(new Dictionary<string, int> { ["500"] = 100 });
        (await caller.CountAsync(Simple, 100)).ShouldBe(new Dictionary<string, int> { ["east"] = 100 });

        // It stays out for its minute even when it is well again.
        west.Answer(200);
        mesh.Time.Advance(TimeSpan.FromSeconds(59));
        (await caller.CountAsync(Simple, 100)).ShouldBe(new Dictionary<string, int> { ["east"] = 100 });
        mesh.Time.Advance(TimeSpan.FromSeconds(2));
        (await caller.CountAsync(Simple, 100)).ShouldBe(new Dictionary<string, int> { ["west"] = 100 });
    }

    [Fact]
    [Trait("Lab", "Locality failover")]
    public async Task A_region_that_has_lost_half_of_its_pods_keeps_seven_requests_of_ten()
    {
        const int Requests = 1000;
        var even = new EvenPickRandomSource(Requests);
        await using var mesh = await PodMesh.StartAsync(
            LabYaml.Service("simple-backend") + LabYaml.DestinationRule("simple-backend", """
                trafficPolicy:
                  loadBalancer:
                    simple: ROUND_ROBIN
                    localityLbSetting: {enabled: true, failover: [{from: us-west, to: us-east}]}
                  outlierDetection: {consecutive5xxErrors: 1, interval: 1s, baseEjectionTime: 1m, maxEjectionPercent: 100}
                """),
            even);
        for (var i = 0; i < 4; i++)
        {
            var west = await mesh.AddPodAsync("simple-backend", "west", locality: "us-west/us-west-a");
            if (i % 2 == 0)
            {
                west.Answer(500);
            }
        }

        await mesh.AddPodAsync("simple-backend", "east", locality: "us-east/us-east-a");
        var caller = mesh.Caller(new MeshWorkload("simple-web") { Locality = "us-west/us-west-a" });
        (await caller.CountAsync(Simple, 50))["500"].ShouldBe(2, "one error ejects, and an ejected pod is not asked again");

        // 50 % that are well × 140 % overprovisioning.
        even.Begin();
        (await caller.CountAsync(Simple, Requests)).ShouldBe(new Dictionary<string, int> { ["west"] = 700, ["east"] = 300 }, ignoreOrder: true);
    }

    [Fact]
    [Trait("Lab", "Locality failover")]
    public async Task Without_outlier_detection_no_locality_is_preferred()
    {
        await using var mesh = await PodMesh.StartAsync(LabYaml.Service("simple-backend") + LabYaml.DestinationRule("simple-backend", """
            trafficPolicy:
              loadBalancer:
                simple: ROUND_ROBIN
                localityLbSetting: {enabled: true, failover: [{from: us-west, to: us-east}]}
            """));
        await mesh.AddPodAsync("simple-backend", "west", locality: "us-west/us-west-a");
        await mesh.AddPodAsync("simple-backend", "east", locality: "us-east/us-east-a");
        var caller = mesh.Caller(new MeshWorkload("simple-web") { Locality = "us-west/us-west-a" });

        (await caller.CountAsync(Simple, 100)).Keys.ShouldBe(["west", "east"], ignoreOrder: true);
    }

    [Fact]
    [Trait("Lab", "Locality distribution")]
    public async Task Requests_of_one_zone_are_distributed_50_30_20_and_those_of_another_are_not()
    {
        const int Requests = 1000;
        var even = new EvenPickRandomSource(Requests);
        await using var mesh = await DistributedAsync(even);
        var caller = mesh.Caller(new MeshWorkload("simple-web") { Locality = "us-west1/us-west1-a/rack-1" });
        await caller.AskAsync(Simple);

        even.Begin();
        (await caller.CountAsync(Simple, Requests)).ShouldBe(
            new Dictionary<string, int> { ["own-zone"] = 500, ["next-zone"] = 300, ["other-region"] = 200 }, ignoreOrder: true);

        var elsewhere = mesh.Caller(new MeshWorkload("simple-web") { Locality = "us-east1/us-east1-a" });
        (await elsewhere.CountAsync(Simple, 200)).Keys.ShouldBe(["other-region"]);
    }

    [Fact]
    [Trait("Lab", "Locality distribution")]
    public async Task By_chance_the_distribution_is_within_five_standard_deviations()
    {
        const int Requests = 2000;
        await using var mesh = await DistributedAsync(null);
        var counts = await mesh.Caller(new MeshWorkload("simple-web") { Locality = "us-west1/us-west1-a" }).CountAsync(Simple, Requests);

        // 5 × √(n p (1 - p)): 112, 103 and 90.
        counts["own-zone"].ShouldBeInRange(888, 1112);
        counts["next-zone"].ShouldBeInRange(497, 703);
        counts["other-region"].ShouldBeInRange(310, 490);
    }

    private static async Task<PodMesh> DistributedAsync(IRandomSource? random)
    {
        var mesh = await PodMesh.StartAsync(
            LabYaml.Service("simple-backend") + LabYaml.DestinationRule("simple-backend", """
                trafficPolicy:
                  loadBalancer:
                    simple: ROUND_ROBIN
                    localityLbSetting:
                      enabled: true
                      distribute:
                      - from: "us-west1/us-west1-a/*"
                        to: {"us-west1/us-west1-a/*": 50, "us-west1/us-west1-b/*": 30, "us-east1/us-east1-a/*": 20}
                  outlierDetection: {consecutive5xxErrors: 100, interval: 1s, baseEjectionTime: 1m}
                """),
            random);

        // The number of pods in a zone is not what weighs.
        await mesh.AddPodAsync("simple-backend", "own-zone", locality: "us-west1/us-west1-a/rack-1");
        await mesh.AddPodAsync("simple-backend", "next-zone", locality: "us-west1/us-west1-b");
        await mesh.AddPodAsync("simple-backend", "next-zone", locality: "us-west1/us-west1-b");
        await mesh.AddPodAsync("simple-backend", "other-region", locality: "us-east1/us-east1-a");
        return mesh;
    }
}
