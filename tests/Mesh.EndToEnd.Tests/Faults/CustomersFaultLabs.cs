using Microsoft.AspNetCore.Http;

namespace Mesh.EndToEnd.Tests.Faults;

/// <summary>Half of the calls from web-frontend to customers suffer. The dashboards, graphs and traces that show it are not in: times, statuses and flags are.</summary>
public sealed class CustomersFaultLabs
{
    private const int Requests = 100;
    private const string Customers = "http://customers.default.svc.cluster.local/";

    private static readonly string Services =
        LabYaml.Service("web-frontend") + LabYaml.Service("customers") + LabYaml.Subsets("customers.default.svc.cluster.local", "v1");

    [Fact]
    [Trait("Lab", "P11")]
    public async Task Half_of_the_requests_take_five_seconds_more_and_say_DI()
    {
        // Of two draws each request's first is the balancer's and its second the fault's.
        var even = new EvenRandomSource(2 * Requests);
        await using var mesh = await PodMesh.StartAsync(Services);
        var customers = await mesh.AddPodAsync("customers");
        var frontend = mesh.Caller(new MeshWorkload("web-frontend"), even);
        (await frontend.AskAsync(Customers)).Status.ShouldBe(200);
        await mesh.ApplyAsync(Fault("delay: {percentage: {value: 50}, fixedDelay: 5s}"));

        even.Begin();
        var asking = Enumerable.Range(0, Requests).Select(_ => frontend.AskAsync(Customers)).ToList();
        var answers = new List<LabAnswer>();
        await foreach (var done in Task.WhenEach(asking))
        {
            answers.Add(await done);
            if (answers.Count == Requests / 2)
            {
                // Those that nothing delays are through; the others wait to the millisecond.
                answers.ShouldAllBe(answer => answer.Status == 200 && answer.Flags == "");
                mesh.Time.Advance(TimeSpan.FromMilliseconds(4999));
                asking.Count(task => task.IsCompleted).ShouldBe(Requests / 2);
                customers.Served.ShouldBe(1 + (Requests / 2));
                mesh.Time.Advance(TimeSpan.FromMilliseconds(1));
            }
        }

        answers.Skip(Requests / 2).ShouldAllBe(answer => answer.Status == 200 && answer.Flags == "DI");
        answers.Count.ShouldBe(Requests);
    }

    [Fact]
    [Trait("Lab", "P11")]
    public async Task Half_of_the_requests_are_answered_500_and_never_reach_customers()
    {
        var even = new EvenRandomSource(2 * Requests);
        await using var mesh = await PodMesh.StartAsync(Services + Fault("abort: {httpStatus: 500, percentage: {value: 50}}"));
        var customers = await mesh.AddPodAsync("customers");
        var frontend = mesh.Caller(new MeshWorkload("web-frontend"), even);
        await frontend.AskAsync(Customers);
        var served = customers.Served;

        even.Begin();
        (await frontend.CountAsync(Customers, Requests)).ShouldBe(new Dictionary<string, int> { ["v1"] = 50, ["500"] = 50 }, ignoreOrder: true);

        customers.Served.ShouldBe(served + 50);
    }

    [Fact]
    [Trait("Lab", "P11")]
    public async Task Who_calls_the_frontend_sees_about_half_of_its_pages_fail()
    {
        await using var mesh = await PodMesh.StartAsync(Services + Fault("abort: {httpStatus: 500, percentage: {value: 50}}"));
        await mesh.AddPodAsync("customers");
        var frontend = mesh.Caller(new MeshWorkload("web-frontend"));
        await mesh.AddPodAsync("web-frontend", "v1", async context =>
        {
            var answer = await frontend.AskAsync(Customers);
            answer.Flags.ShouldBe(answer.Status == 500 ? "FI" : "");
            context.Response.StatusCode = answer.Status;
            await context.Response.WriteAsync(answer.Body);
        });

        // Four standard deviations of 400 throws of a coin are 40.
        var counts = await mesh.Caller().CountAsync("http://web-frontend/", 400);

        counts["500"].ShouldBeInRange(160, 240);
        (counts["500"] + counts["v1"]).ShouldBe(400);
    }

    private static string Fault(string fault)
        => LabYaml.VirtualService("customers.default.svc.cluster.local", $$"""
            - route:
              - destination: {host: customers.default.svc.cluster.local, port: {number: 80}, subset: v1}
              fault: { {{fault}} }
            """);
}
