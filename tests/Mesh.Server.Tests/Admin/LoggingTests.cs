using System.Net;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Mesh.Server.Tests.Admin;

/// <summary>Log levels that change while the process runs.</summary>
public sealed class LoggingTests
{
    [Fact]
    public async Task A_level_counts_at_once_for_every_category_below_and_is_given_back_by_a_reset()
    {
        await using var app = await AdminApp.StartAsync(after: b => b.Logging.AddFilter("Mesh", LogLevel.Warning));
        var logger = app.Inbound.App.Services.GetRequiredService<ILoggerFactory>().CreateLogger("Mesh.DataPlane.Test");
        logger.IsEnabled(LogLevel.Information).ShouldBeFalse();

        (await PostAsync(app, "/logging?level=debug")).ShouldContain("Mesh.DataPlane: debug");
        logger.IsEnabled(LogLevel.Debug).ShouldBeTrue();
        await PostAsync(app, "/logging?paths=Mesh.DataPlane:error,Mesh.Xds:trace");
        logger.IsEnabled(LogLevel.Warning).ShouldBeFalse();
        await PostAsync(app, "/logging?reset");
        logger.IsEnabled(LogLevel.Warning).ShouldBeTrue();
        logger.IsEnabled(LogLevel.Information).ShouldBeFalse();
    }

    [Fact]
    public async Task A_provider_with_rules_of_its_own_follows_too()
    {
        await using var app = await AdminApp.StartAsync(after: b => b.Logging.AddFilter<Mesh.Client.Tests.RecordedLogs>("Mesh.DataPlane", LogLevel.Error));
        var logger = app.Inbound.App.Services.GetRequiredService<ILoggerFactory>().CreateLogger("Mesh.DataPlane.Test");
        logger.LogInformation("before");

        await PostAsync(app, "/logging?level=info");
        logger.LogInformation("after");

        app.Logs.Lines.ShouldContain(l => l.EndsWith("after", StringComparison.Ordinal));
        app.Logs.Lines.ShouldNotContain(l => l.EndsWith("before", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("/logging?paths=Microsoft:trace")]
    [InlineData("/logging?paths=Meshes:trace")]
    [InlineData("/logging?level=loud")]
    [InlineData("/logging?paths=Mesh")]
    [InlineData("/logging")]
    public async Task Other_categories_and_levels_that_are_none_are_refused(string path)
    {
        await using var app = await AdminApp.StartAsync();

        (await app.SendAsync(HttpMethod.Post, path)).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task Looking_changes_nothing()
    {
        await using var app = await AdminApp.StartAsync(after: b => b.Logging.AddFilter("Mesh", LogLevel.Warning));

        (await app.GetAsync("/logging?level=debug")).ShouldContain("Mesh.DataPlane: warning");
    }

    [Fact]
    public async Task The_form_of_the_page_works_and_that_of_another_origin_does_not()
    {
        await using var app = await AdminApp.StartAsync(after: b => b.Logging.AddFilter("Mesh", LogLevel.Warning));
        using var caller = app.Caller();
        using var form = new FormUrlEncodedContent([new("category", "Mesh.Server"), new("level", "debug")]);

        using var other = new HttpRequestMessage(HttpMethod.Post, "/logging") { Content = form, Headers = { { "Sec-Fetch-Site", "cross-site" } } };
        (await caller.SendAsync(other)).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        using var own = new HttpRequestMessage(HttpMethod.Post, "/logging") { Content = new FormUrlEncodedContent([new("category", "Mesh.Server"), new("level", "debug")]), Headers = { { "Sec-Fetch-Site", "same-origin" } } };
        (await (await caller.SendAsync(own)).Content.ReadAsStringAsync()).ShouldContain("Mesh.Server: debug (set here)");
    }

    private static async Task<string> PostAsync(AdminApp app, string path)
    {
        using var response = await app.SendAsync(HttpMethod.Post, path);
        var text = await response.Content.ReadAsStringAsync();
        response.StatusCode.ShouldBe(HttpStatusCode.OK, text);
        return text;
    }
}
