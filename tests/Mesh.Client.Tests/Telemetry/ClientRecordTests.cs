using System.Net;
using Mesh.Client.Tests.Servers;
using Mesh.DataPlane.Telemetry;
using Microsoft.AspNetCore.Http;

namespace Mesh.Client.Tests.Telemetry;

/// <summary>What the client's door tells of its requests.</summary>
public class ClientRecordTests
{
    [Fact]
    public async Task A_request_that_succeeds_is_told_with_where_it_went_and_how_much_it_carried()
    {
        await using var server = await WebServer.StartAsync(async context => await context.Response.WriteAsync("hello"));
        await using var mesh = ClientMesh.Create().Serve("reviews:9080", server.Port);
        using var response = await mesh.Client().PostAsync("http://reviews:9080/a?b=c", new StringContent("12345678")).Within();

        var told = mesh.Records.Ended.ShouldHaveSingleItem();
        told.Reporter.ShouldBe(Reporter.Source);
        (told.Method, told.Path, told.Authority).ShouldBe(("POST", "/a?b=c", "reviews:9080"));
        (told.Cluster, told.Endpoint).ShouldBe(("reviews:9080", $"127.0.0.1:{server.Port}"));
        (told.Status, told.Flags, told.Details).ShouldBe((200, "", "via_upstream"));
        (told.RequestBytes, told.ResponseBytes, told.Attempts).ShouldBe((8, 5, 1));
    }

    [Fact]
    public async Task Bodies_without_a_length_are_counted()
    {
        await using var server = await WebServer.StartAsync(async context =>
        {
            await context.Request.Body.CopyToAsync(context.Response.Body);
            await context.Response.Body.FlushAsync();
        });
        await using var mesh = ClientMesh.Create().Serve("reviews:9080", server.Port);
        using var content = new ScriptedContent(async stream =>
        {
            await stream.WriteAsync(new byte[1000]);
            await stream.FlushAsync();
            await stream.WriteAsync(new byte[234]);
        });
        using var response = await mesh.Client().PostAsync("http://reviews:9080/", content).Within();

        var told = mesh.Records.Ended.ShouldHaveSingleItem();
        (told.RequestBytes, told.ResponseBytes).ShouldBe((1234, 1234));
    }

    [Fact]
    public async Task It_is_told_when_its_response_has_ended_and_not_before()
    {
        await using var server = await WebServer.StartAsync(async context => await context.Response.WriteAsync("hello"));
        await using var mesh = ClientMesh.Create().Serve("reviews:9080", server.Port);
        using var response = await mesh.Client().GetAsync("http://reviews:9080/", HttpCompletionOption.ResponseHeadersRead).Within();
        mesh.Records.Ended.ShouldBeEmpty();

        (await response.Content.ReadAsStringAsync().Within()).ShouldBe("hello");

        mesh.Records.Ended.ShouldHaveSingleItem().ResponseBytes.ShouldBe(5);
    }

    [Fact]
    public async Task A_response_that_nobody_reads_to_its_end_is_a_caller_that_has_gone()
    {
        await using var server = await WebServer.StartAsync(async context => await context.Response.Body.WriteAsync(new byte[1_000_000]));
        await using var mesh = ClientMesh.Create().Serve("reviews:9080", server.Port);
        var response = await mesh.Client().GetAsync("http://reviews:9080/", HttpCompletionOption.ResponseHeadersRead).Within();

        response.Dispose();

        var told = mesh.Records.Ended.ShouldHaveSingleItem();
        (told.Status, told.Flags, told.Details).ShouldBe((200, "DC", "downstream_remote_disconnect"));
    }

    [Fact]
    public async Task A_connection_that_breaks_below_a_body_is_told_as_the_reader_is()
    {
        using var server = new RawServer(async connection =>
        {
            await connection.ReadHeadAsync();
            await connection.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
        });
        await using var mesh = ClientMesh.Create().Serve("reviews:9080", server.Port);

        await Should.ThrowAsync<HttpRequestException>(() => mesh.Client().GetAsync("http://reviews:9080/").Within());

        var told = mesh.Records.Ended.ShouldHaveSingleItem();
        (told.Status, told.Flags, told.Details).ShouldBe((200, "UC", "upstream_reset_after_response_started{connection_termination}"));
    }

    [Fact]
    public async Task What_the_mesh_answers_itself_is_told_with_its_reason()
    {
        await using var mesh = ClientMesh.Create().Serve("reviews:9080", 1);
        mesh.SetEndpoints("reviews:9080");
        using var response = await mesh.Client().GetAsync("http://reviews:9080/").Within();
        response.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);

        var told = mesh.Records.Ended.ShouldHaveSingleItem();
        (told.Status, told.Flags, told.Details).ShouldBe((503, "UH", "no_healthy_upstream"));
        (told.Cluster, told.Endpoint).ShouldBe(("reviews:9080", null));
        told.ResponseBytes.ShouldBe("no healthy upstream".Length);
    }

    [Fact]
    public async Task A_caller_that_gives_up_is_told_without_a_status()
    {
        using var arrived = new SemaphoreSlim(0);
        using var server = new RawServer(async connection =>
        {
            await connection.ReadHeadAsync();
            arrived.Release();
            await connection.WaitForEndAsync();
        });
        await using var mesh = ClientMesh.Create().Serve("reviews:9080", server.Port);
        using var gone = new CancellationTokenSource();
        var sending = mesh.Client().GetAsync("http://reviews:9080/", gone.Token);
        await arrived.WaitAsync().Within();

        await gone.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(() => sending.Within());
        var told = mesh.Records.Ended.ShouldHaveSingleItem();
        (told.Status, told.Flags, told.Details).ShouldBe((0, "DC", "downstream_remote_disconnect"));
        told.Endpoint.ShouldBe($"127.0.0.1:{server.Port}");
    }
}
