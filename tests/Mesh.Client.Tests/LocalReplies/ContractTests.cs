using System.Net;
using System.Text.RegularExpressions;
using Mesh.Client.Tests.Servers;
using Mesh.DataPlane.Upstream;
using Mesh.Xds.Grpc;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Mesh.Client.Tests.LocalReplies;

/// <summary>Each row of the table, brought about, and read as a caller reads it: through <see cref="HttpClient"/>, as gRPC, as exceptions, behind a server.</summary>
public sealed partial class ContractTests
{
    public static TheoryData<string> Rows => [.. Table.Keys];

    /// <summary>A preflight request is never gRPC.</summary>
    public static TheoryData<string> GrpcRows => [.. Table.Where(r => !r.Value.Reply.Details.StartsWith("cors", StringComparison.Ordinal)).Select(r => r.Key)];

    // The name check needs a certificate that is trusted, which is the tests' of TLS.
    private static Dictionary<string, LocalReplyRow> Table { get; } = LocalReplyTable.All
        .Where(r => !r.IsNotYet && r.Reply != LocalReply.NameCheckFailure)
        .ToDictionary(r => r.Cause + Situations.Which(r));

    [Fact]
    public void Every_row_has_a_situation()
        => LocalReplyTable.All.Where(r => !r.IsNotYet).Select(r => r.Cause + Situations.Which(r)).ShouldBe(Situations.All.Keys, ignoreOrder: true);

    [Theory]
    [MemberData(nameof(Rows))]
    public async Task A_caller_gets_the_response_of_the_table(string row)
    {
        await using var situation = Situations.All[row]();
        using var request = situation.Request(grpc: false);

        using var response = await situation.SendAsync(() => situation.Mesh.Client().SendAsync(request));

        await ShouldBeAsync(Table[row], response);
        response.RequestMessage.ShouldBeSameAs(request);
        response.Version.ShouldNotBeNull();
        ShouldBeTold(Table[row].Reply, Option(request, MeshRequest.ResponseFlags), Option(request, MeshRequest.ResponseCodeDetails));
        var observed = situation.Observed[^1];
        ShouldBeTold(Table[row].Reply, observed.Flags, observed.Details);
    }

    [Theory]
    [MemberData(nameof(GrpcRows))]
    public async Task A_gRPC_caller_gets_its_status_among_the_headers(string row)
    {
        await using var situation = Situations.All[row]();
        using var request = situation.Request(grpc: true);

        using var response = await situation.SendAsync(() => situation.Mesh.Client("thrower").SendAsync(request));

        response.Version.ShouldBe(HttpVersion.Version20);
        await ShouldBeGrpcAsync(Table[row], response);
        ShouldBeTold(Table[row].Reply, Option(request, MeshRequest.ResponseFlags), Option(request, MeshRequest.ResponseCodeDetails));
    }

    [Theory]
    [MemberData(nameof(Rows))]
    public async Task A_client_that_wants_exceptions_gets_them(string row)
    {
        await using var situation = Situations.All[row]();
        using var request = situation.Request(grpc: false);
        var reply = Table[row].Reply;

        var exception = await Record.ExceptionAsync(() => situation.SendAsync(() => situation.Mesh.Client("thrower").SendAsync(request)));

        if (reply.IsAnswer || (int)reply.Status < 400)
        {
            exception.ShouldBeNull();
            return;
        }

        var thrown = exception.ShouldBeOfType<HttpRequestException>();
        thrown.StatusCode.ShouldBe(reply.Status);
        thrown.HttpRequestError.ShouldBe(reply.Error);
        ShouldBeTold(reply, (string?)thrown.Data[MeshRequest.ResponseFlags.Key], (string?)thrown.Data[MeshRequest.ResponseCodeDetails.Key]);
        thrown.Message.ShouldContain($" {(int)reply.Status}");
        situation.Mesh.ActiveRequests.ShouldBe(0);
    }

    [Theory]
    [MemberData(nameof(Rows))]
    public async Task A_server_passes_it_on(string row)
    {
        await using var situation = Situations.All[row]();
        await using var server = await ServeAsync(situation, grpc: false, HttpProtocols.Http1);
        using var outside = new HttpClient();

        using var response = await situation.SendAsync(() => outside.GetAsync($"http://127.0.0.1:{server.Port}/"));

        await ShouldBeAsync(Table[row], response);
    }

    [Theory]
    [MemberData(nameof(GrpcRows))]
    public async Task A_server_passes_it_on_to_gRPC_callers(string row)
    {
        await using var situation = Situations.All[row]();
        await using var server = await ServeAsync(situation, grpc: true, HttpProtocols.Http2);
        using var outside = new HttpClient { DefaultRequestVersion = HttpVersion.Version20, DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact };

        using var response = await situation.SendAsync(() => outside.GetAsync($"http://127.0.0.1:{server.Port}/"));

        await ShouldBeGrpcAsync(Table[row], response);
        response.TrailingHeaders.ShouldBeEmpty();
    }

    private static async Task ShouldBeAsync(LocalReplyRow row, HttpResponseMessage response)
    {
        response.StatusCode.ShouldBe(row.Reply.Status);
        var body = await response.Content.ReadAsStringAsync();
        body.ShouldMatch(Pattern(row.Reply.Body));
        response.Content.Headers.ContentType?.MediaType.ShouldBe(body.Length > 0 ? "text/plain" : null);
        foreach (var (name, value) in row.Reply.Headers)
        {
            response.Headers.GetValues(name).ShouldHaveSingleItem().ShouldMatch(Pattern(value));
        }
    }

    private static async Task ShouldBeGrpcAsync(LocalReplyRow row, HttpResponseMessage response)
    {
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        response.Content.Headers.ContentType!.MediaType.ShouldBe("application/grpc");
        (await response.Content.ReadAsByteArrayAsync()).ShouldBeEmpty();
        response.Headers.GetValues("grpc-status").ShouldBe([$"{DataPlane.Upstream.LocalReplies.GrpcStatus(row.Reply)}"]);
        var message = response.Headers.TryGetValues("grpc-message", out var values) ? GrpcStatusMessage.Decode(values.Single()) : "";
        message.ShouldMatch(Pattern(row.Reply.Body));
        foreach (var (name, value) in row.Reply.Headers)
        {
            response.Headers.GetValues(name).ShouldHaveSingleItem().ShouldMatch(Pattern(value));
        }
    }

    private static void ShouldBeTold(LocalReply reply, string? flags, string? details)
    {
        flags.ShouldBe(reply.Flags);
        details!.ShouldMatch(Pattern(reply.Details));
    }

    private static Task<WebServer> ServeAsync(Situation situation, bool grpc, HttpProtocols protocols)
        => WebServer.StartAsync(
            async context =>
            {
                using var request = situation.Request(grpc);
                using var response = await situation.Mesh.Client().SendAsync(request, HttpCompletionOption.ResponseHeadersRead, context.RequestAborted);
                context.Response.StatusCode = (int)response.StatusCode;
                foreach (var (name, values) in response.Headers.NonValidated.Concat(response.Content.Headers.NonValidated))
                {
                    context.Response.Headers[name] = values.ToArray();
                }

                await response.Content.CopyToAsync(context.Response.Body);
            },
            protocols);

    private static string? Option(HttpRequestMessage request, HttpRequestOptionsKey<string> key) => request.Options.TryGetValue(key, out var value) ? value : null;

    // What differs from case to case stands in angle brackets.
    private static string Pattern(string text) => "^" + Placeholder().Replace(Regex.Escape(text), ".+") + "$";

    [GeneratedRegex("<[a-z\\\\ ]+>")]
    private static partial Regex Placeholder();
}
