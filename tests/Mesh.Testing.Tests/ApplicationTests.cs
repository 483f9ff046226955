using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;

namespace Mesh.Testing.Tests;

public sealed class ApplicationTests
{
    [Fact]
    public async Task Routes_the_calls_of_an_application_under_test()
    {
        await using var mesh = await MeshTestHost.StartAsync(Yaml.All(Yaml.Reviews, Yaml.JasonToV2));
        mesh.AddEndpoint("reviews", version: "v1", Respond.With("v1"));
        mesh.AddEndpoint("reviews", version: "v2", Respond.With("v2"));
        await using var application = new WebApplicationFactory<ProductPage>().WithWebHostBuilder(
            host => host.UseContentRoot(AppContext.BaseDirectory).ConfigureTestServices(mesh.Configure));
        using var browser = application.CreateClient();

        (await browser.GetStringAsync("/productpage")).ShouldBe("reviews: v1");

        browser.DefaultRequestHeaders.Add("end-user", "jason");
        (await browser.GetStringAsync("/productpage")).ShouldBe("reviews: v2");
        mesh.Decisions.Select(d => $"{d.Source} {d.Route}").ShouldBe(["productpage everybody", "productpage jason"]);
    }

    [Fact]
    public async Task Follows_a_change_while_the_application_runs()
    {
        await using var mesh = await MeshTestHost.StartAsync(Yaml.All(Yaml.Reviews, Yaml.AllV1));
        mesh.AddEndpoint("reviews", version: "v1", Respond.With("v1"));
        mesh.AddEndpoint("reviews", version: "v2", Respond.With("v2"));
        await using var application = new WebApplicationFactory<ProductPage>().WithWebHostBuilder(
            host => host.UseContentRoot(AppContext.BaseDirectory).ConfigureTestServices(mesh.Configure));
        using var browser = application.CreateClient();
        (await browser.GetStringAsync("/productpage")).ShouldBe("reviews: v1");

        mesh.Apply(Yaml.AllV2);
        await mesh.SettledAsync();

        (await browser.GetStringAsync("/productpage")).ShouldBe("reviews: v2");
    }

    [Fact]
    public async Task Runs_the_timeouts_of_the_application_by_the_clock_of_the_mesh()
    {
        await using var mesh = await MeshTestHost.StartAsync(Yaml.Reviews);
        var silent = new GatedHandler();
        mesh.AddEndpoint("reviews", version: "v1", silent);
        await using var application = new WebApplicationFactory<ProductPage>().WithWebHostBuilder(
            host => host.UseContentRoot(AppContext.BaseDirectory).ConfigureTestServices(mesh.Configure));
        using var browser = application.CreateClient();

        var page = browser.GetStringAsync("/productpage");
        await silent.Arrived.Task.WaitAsync(Guard.Time);
        page.IsCompleted.ShouldBeFalse();
        mesh.Time.Advance(TimeSpan.FromSeconds(2));

        (await page.WaitAsync(Guard.Time)).ShouldBe("reviews: currently unavailable");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Is_configured_before_or_after_the_application_adds_the_mesh(bool before)
    {
        await using var mesh = await MeshTestHost.StartAsync(Yaml.Reviews);
        mesh.AddEndpoint("reviews", version: "v1", Respond.With("v1"));
        var services = new ServiceCollection();
        services.AddLogging();
        if (before)
        {
            mesh.Configure(services);
        }

        services.AddMeshClient(options => options.Workload = new MeshWorkload("worker")).UseXds("http://control-plane.invalid:15010");
        if (!before)
        {
            mesh.Configure(services);
        }

        await using var application = services.BuildServiceProvider();
        using var client = application.GetRequiredService<IHttpClientFactory>().CreateClient();

        (await client.GetStringAsync("http://reviews:9080/")).ShouldBe("v1");
        mesh.Decisions.ShouldHaveSingleItem().Source.ShouldBe("worker");
        application.GetRequiredService<TimeProvider>().ShouldBeSameAs(mesh.Time);
    }

    [Fact]
    public async Task Outlives_an_application_and_is_outlived_by_one()
    {
        var mesh = await MeshTestHost.StartAsync(Yaml.Reviews);
        mesh.AddEndpoint("reviews", version: "v1", Respond.With("v1"));
        await using var later = Application(mesh);
        await using (var sooner = Application(mesh))
        {
            await CallAsync(sooner);
            await CallAsync(later);
        }

        await mesh.SettledAsync();
        await mesh.DisposeAsync();
        await CallAsync(later);

        static ServiceProvider Application(MeshTestHost mesh)
        {
            var services = new ServiceCollection();
            services.AddLogging();
            services.AddMeshClient();
            mesh.Configure(services);
            return services.BuildServiceProvider();
        }

        static async Task CallAsync(ServiceProvider application)
        {
            using var client = application.GetRequiredService<IHttpClientFactory>().CreateClient();
            (await client.GetStringAsync("http://reviews:9080/")).ShouldBe("v1");
        }
    }
}
