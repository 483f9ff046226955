using Google.Protobuf;
using Mesh.Xds.Ads;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Mesh.Testing.Tests;

public sealed class SettledTests
{
    [Fact]
    public async Task Completes_at_once_when_nobody_has_called_yet()
    {
        await using var mesh = await MeshTestHost.StartAsync(Yaml.Reviews);

        await mesh.SettledAsync().WaitAsync(Guard.Time);
    }

    [Fact]
    public async Task Waits_for_a_client_to_which_the_change_takes_its_time()
    {
        await using var mesh = await StartAsync();
        await using var slow = Application(mesh);
        await using var fast = Application(mesh);
        var gate = Gate(slow);
        (await CallAsync(slow)).ShouldBe("v1");
        (await CallAsync(fast)).ShouldBe("v1");

        gate.Close();
        mesh.Apply(Yaml.AllV2);
        var settled = mesh.SettledAsync();
        await gate.Holding.Task.WaitAsync(Guard.Time);

        await ShouldStayPending(settled);
        (await CallAsync(slow)).ShouldBe("v1");

        gate.Open();
        await settled.WaitAsync(Guard.Time);
        (await CallAsync(slow)).ShouldBe("v2");
        (await CallAsync(fast)).ShouldBe("v2");
    }

    [Fact]
    public async Task Waits_for_a_client_that_has_asked_and_not_yet_been_answered()
    {
        await using var mesh = await StartAsync();
        await using var application = Application(mesh);
        (await CallAsync(application)).ShouldBe("v1");
        var gate = Gate(application);
        gate.Close();
        var call = CallAsync(application, "http://reviews.default:9080/");
        await gate.Holding.Task.WaitAsync(Guard.Time);

        var settled = mesh.SettledAsync();
        await ShouldStayPending(settled);

        gate.Open();
        await settled.WaitAsync(Guard.Time);
        (await call).ShouldBe("v1");
    }

    [Fact]
    public async Task Waits_for_a_client_that_holds_new_routes_back_until_it_knows_their_clusters()
    {
        await using var mesh = await StartAsync();
        await using var application = Application(mesh);
        var gate = Gate(application);
        (await CallAsync(application)).ShouldBe("v1");

        gate.Close(TypeUrls.ClusterLoadAssignment);
        mesh.Apply(Yaml.AllV2);
        var settled = mesh.SettledAsync();
        await gate.Holding.Task.WaitAsync(Guard.Time);

        await ShouldStayPending(settled);
        (await CallAsync(application)).ShouldBe("v1");

        gate.Open();
        await settled.WaitAsync(Guard.Time);
        (await CallAsync(application)).ShouldBe("v2");
    }

    // State of the world cannot say "there is no such cluster": the client finds out by the clock, and so does who holds routes back for it.
    [Fact]
    public async Task Waits_for_the_resource_timeout_of_a_client_that_cannot_be_told_what_does_not_exist()
    {
        await using var mesh = await StartAsync();
        await using var application = Application(mesh, options => options.Xds.Delta = false);
        (await CallAsync(application)).ShouldBe("v1");
        using var patience = new CancellationTokenSource(Guard.Time);
        while (mesh.Time.ActiveTimers > 1)
        {
            // The wait for the first answer disposes of its timer a moment after it has ended; the directory's sweep stays.
            patience.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }

        mesh.Apply(Yaml.AllV1.Replace("subset: v1", "subset: v9", StringComparison.Ordinal));
        var settled = mesh.SettledAsync();
        await mesh.Time.WaitForTimersAsync(1 + 2).WaitAsync(Guard.Time);
        await ShouldStayPending(settled);

        mesh.Time.Advance(TimeSpan.FromSeconds(15));

        await settled.WaitAsync(Guard.Time);
        using var client = application.GetRequiredService<IHttpClientFactory>().CreateClient();
        using var response = await client.GetAsync("http://reviews:9080/");
        response.StatusCode.ShouldBe(System.Net.HttpStatusCode.ServiceUnavailable);
    }

    [Fact]
    public async Task Says_who_has_not_answered_when_the_wait_is_too_long()
    {
        await using var mesh = await StartAsync(options => options.SettleTimeout = TimeSpan.FromMilliseconds(1));
        await using var application = Application(mesh);
        (await CallAsync(application)).ShouldBe("v1");
        var gate = Gate(application);
        gate.Close(TypeUrls.RouteConfiguration);
        mesh.Apply(Yaml.AllV2);
        await gate.Holding.Task.WaitAsync(Guard.Time);

        var exception = await Should.ThrowAsync<TimeoutException>(mesh.SettledAsync());

        exception.Message.ShouldContain("worker");
        exception.Message.ShouldContain(TypeUrls.RouteConfiguration);
    }

    [Fact]
    public async Task Ends_when_the_caller_no_longer_wants_to_wait()
    {
        await using var mesh = await StartAsync();
        await using var application = Application(mesh);
        (await CallAsync(application)).ShouldBe("v1");
        Gate(application).Close();
        mesh.Apply(Yaml.AllV2);
        using var cancel = new CancellationTokenSource();
        var settled = mesh.SettledAsync(cancel.Token);

        await cancel.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(settled);
    }

    [Fact]
    public async Task Says_what_a_client_refused()
    {
        await using var mesh = await StartAsync();
        await using var application = Application(mesh);
        (await CallAsync(application)).ShouldBe("v1");
        var gate = Gate(application);
        gate.TypeUrl = TypeUrls.RouteConfiguration;
        gate.Damage = response => response.Resources[0].Resource_.Value = ByteString.CopyFrom(0xFF);

        mesh.Apply(Yaml.AllV2);

        var exception = await Should.ThrowAsync<InvalidOperationException>(mesh.SettledAsync());
        exception.Message.ShouldContain("refused");
        exception.Message.ShouldContain(TypeUrls.RouteConfiguration);
        (await CallAsync(application)).ShouldBe("v1");

        gate.Damage = null;
        mesh.Apply(Yaml.Split(0, 100));
        await mesh.SettledAsync();
        (await CallAsync(application)).ShouldBe("v2");
    }

    private static async Task<MeshTestHost> StartAsync(Action<MeshTestOptions>? configure = null)
    {
        var mesh = await MeshTestHost.StartAsync(Yaml.All(Yaml.Reviews, Yaml.AllV1), configure);
        mesh.AddEndpoint("reviews", version: "v1", Respond.With("v1"));
        mesh.AddEndpoint("reviews", version: "v2", Respond.With("v2"));
        return mesh;
    }

    private static ServiceProvider Application(MeshTestHost mesh, Action<MeshOptions>? configure = null)
    {
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddMeshClient(options =>
        {
            options.Workload = new MeshWorkload("worker");
            configure?.Invoke(options);
        });
        mesh.Configure(services);
        var transport = services.Last(s => s.ServiceType == typeof(IAdsTransport));
        services.Replace(ServiceDescriptor.Singleton<IAdsTransport>(
            provider => new GatedAdsTransport((IAdsTransport)transport.ImplementationFactory!(provider))));
        return services.BuildServiceProvider();
    }

    // Time enough for whatever can complete to complete.
    private static async Task ShouldStayPending(Task task)
    {
        for (var i = 0; i < 1_000; i++)
        {
            await Task.Yield();
        }

        task.IsCompleted.ShouldBeFalse();
    }

    private static GatedAdsTransport Gate(ServiceProvider application) => (GatedAdsTransport)application.GetRequiredService<IAdsTransport>();

    private static async Task<string> CallAsync(ServiceProvider application, string uri = "http://reviews:9080/")
    {
        using var client = application.GetRequiredService<IHttpClientFactory>().CreateClient();
        return await client.GetStringAsync(uri);
    }
}
