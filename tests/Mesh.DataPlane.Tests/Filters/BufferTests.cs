using System.Net;
using Envoy.Extensions.Filters.Http.Buffer.V3;
using Google.Protobuf.WellKnownTypes;
using Shouldly;
using Xunit;
using Message = Envoy.Extensions.Filters.Http.Buffer.V3.Buffer;

namespace Mesh.DataPlane.Tests.Filters;

public sealed class BufferTests : IAsyncDisposable
{
    private const string Name = "envoy.filters.http.buffer";

    private readonly FilterMesh _mesh = new FilterMesh().Listen(FilterMesh.Filter(Name, new Message { MaxRequestBytes = 10 }));

    public ValueTask DisposeAsync() => _mesh.DisposeAsync();

    [Theory]
    [InlineData(10, true)]
    [InlineData(10, false)]
    [InlineData(0, false)]
    public async Task A_body_within_the_limit_is_sent(int length, bool lengthIsKnown)
    {
        (await PostAsync(length, lengthIsKnown)).StatusCode.ShouldBe(HttpStatusCode.OK);

        _mesh.Received.ShouldHaveSingleItem().Body.ShouldBe(new string('x', length));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_body_beyond_it_is_refused(bool lengthIsKnown)
    {
        var response = await PostAsync(11, lengthIsKnown);

        response.StatusCode.ShouldBe(HttpStatusCode.RequestEntityTooLarge);
        (await response.Text()).ShouldBe("Payload Too Large");
        response.Details().ShouldBe("request_payload_too_large");
        _mesh.Received.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_request_without_a_body_passes() => (await _mesh.GetAsync()).StatusCode.ShouldBe(HttpStatusCode.OK);

    [Fact]
    public async Task A_route_has_its_own_limit_or_none()
    {
        var larger = Resources.Prefix("/larger", "v1");
        larger.TypedPerFilterConfig.Add(Name, Any.Pack(new BufferPerRoute { Buffer = new Message { MaxRequestBytes = 11 } }));
        var off = Resources.Prefix("/off", "v1");
        off.TypedPerFilterConfig.Add(Name, Any.Pack(new BufferPerRoute { Disabled = true }));
        _mesh.Route(larger, off, Resources.Prefix("/", "v1"));

        (await PostAsync(11, true, "/larger")).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await PostAsync(12, true, "/larger")).StatusCode.ShouldBe(HttpStatusCode.RequestEntityTooLarge);
        (await PostAsync(1000, false, "/off")).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_body_that_cannot_be_read_is_the_callers_failure()
    {
        var request = new HttpRequestMessage(HttpMethod.Post, "/") { Content = new StreamContent(new Unreadable()) };

        var thrown = await Should.ThrowAsync<Exception>(_mesh.Client.SendAsync(request));

        thrown.ToString().ShouldContain("the disk is gone");
        _mesh.Received.ShouldBeEmpty();
    }

    private Task<HttpResponseMessage> PostAsync(int length, bool lengthIsKnown, string path = "/")
    {
        var bytes = System.Text.Encoding.ASCII.GetBytes(new string('x', length));
        return _mesh.Client.PostAsync(path, lengthIsKnown ? new ByteArrayContent(bytes) : new StreamContent(new NotSeekable(bytes)));
    }

    private sealed class NotSeekable(byte[] bytes) : MemoryStream(bytes)
    {
        public override bool CanSeek => false;
    }

    private sealed class Unreadable : MemoryStream
    {
        public override bool CanSeek => false;

        public override Task CopyToAsync(Stream destination, int bufferSize, CancellationToken cancellationToken) => throw new IOException("the disk is gone");
    }
}
