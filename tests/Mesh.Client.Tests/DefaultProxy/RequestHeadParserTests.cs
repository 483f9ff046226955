using System.Net;
using System.Text;
using Mesh.Client.DefaultProxy;

namespace Mesh.Client.Tests.DefaultProxy;

public class RequestHeadParserTests
{
    [Theory]
    [InlineData("GET /\r\n\r\n", 400)]
    [InlineData("GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400)]
    [InlineData("GET / a HTTP/1.1\r\nHost: a\r\n\r\n", 400)]
    [InlineData(" GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400)]
    [InlineData("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400)]
    [InlineData("G(T / HTTP/1.1\r\nHost: a\r\n\r\n", 400)]
    [InlineData("GET /\u00e4 HTTP/1.1\r\nHost: a\r\n\r\n", 400)]
    [InlineData("GET /#f HTTP/1.1\r\nHost: a\r\n\r\n", 400)]
    [InlineData("GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505)]
    [InlineData("GET / http/1.1\r\nHost: a\r\n\r\n", 400)]
    [InlineData("GET / HTTP/1.1\r\n\r\n", 400)]
    [InlineData("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400)]
    [InlineData("GET / HTTP/1.1\r\nHost: a\r\nx\r\n\r\n", 400)]
    [InlineData("GET / HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n", 400)]
    [InlineData("GET / HTTP/1.1\r\nHost: a\r\nx : y\r\n\r\n", 400)]
    [InlineData("GET / HTTP/1.1\r\nHost: a\r\nx: y\r\n z\r\n\r\n", 400)]
    [InlineData("GET / HTTP/1.1\r\nHost: a\r\nx: y\r\n\tz\r\n\r\n", 400)]
    [InlineData("GET / HTTP/1.1\r\nHost: a\r\nx: y\u0001z\r\n\r\n", 400)]
    [InlineData("GET / HTTP/1.1\nHost: a\r\n\r\n", 400)]
    [InlineData("GET / HTTP/1.1\r\nHost: a\nx: y\r\n\r\n", 400)]
    [InlineData("GET / HTTP/1.1\r\nHost: a\rx: y\r\n\r\n", 400)]
    [InlineData("GET / HTTP/1.1\r\nHost: a\r\nx: y\u0000z\r\n\r\n", 400)]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400)]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n", 400)]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", 400)]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\n", 400)]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n", 400)]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400)]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x1\r\n\r\n", 400)]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1 1\r\n\r\n", 400)]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n", 400)]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999999999999999\r\n\r\n", 400)]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 400)]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 400)]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n", 400)]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n", 400)]
    [InlineData("POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", 400)]
    public void What_two_readers_could_take_differently_is_refused(string head, int status)
    {
        var bytes = Encoding.Latin1.GetBytes(head);

        var refused = Should.Throw<BadRequestException>(() => RequestHeadParser.Parse(bytes.AsSpan(0, RequestHeadParser.Measure(bytes))));

        refused.Status.ShouldBe((HttpStatusCode)status);
        refused.Message.ShouldNotBeEmpty();
    }

    [Fact]
    public void A_head_is_read_as_it_was_sent()
    {
        var bytes = "POST http://reviews:9080/a%2fb?c=d%20e HTTP/1.1\r\nHost: reviews:9080\r\nX-A:  b\tc \r\nx-a: \u00e9\r\nContent-Length: 12\r\n\r\nrest"u8.ToArray();
        var length = RequestHeadParser.Measure(bytes);
        var head = RequestHeadParser.Parse(bytes.AsSpan(0, length));

        length.ShouldBe(bytes.Length - 4);
        head.Method.ShouldBe("POST");
        head.Target.ShouldBe("http://reviews:9080/a%2fb?c=d%20e");
        head.IsHttp11.ShouldBeTrue();
        head.ContentLength.ShouldBe(12);
        head.HasBody.ShouldBeTrue();
        head["x-a"].ShouldBe("b\tc");
        head.Fields.Count(f => f.Key.Equals("x-a", StringComparison.OrdinalIgnoreCase)).ShouldBe(2);
    }

    [Fact]
    public void A_head_that_has_not_come_whole_is_waited_for()
    {
        var bytes = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"u8.ToArray();

        for (var i = 0; i < bytes.Length; i++)
        {
            RequestHeadParser.Measure(bytes.AsSpan(0, i)).ShouldBe(0);
        }

        RequestHeadParser.Measure(bytes).ShouldBe(bytes.Length);
    }

    [Fact]
    public void A_head_is_bounded()
    {
        var bytes = Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\nHost: a\r\nx: " + new string('y', RequestHeadParser.MaxLength));
        Should.Throw<BadRequestException>(() => RequestHeadParser.Measure(bytes)).Status.ShouldBe(HttpStatusCode.RequestHeaderFieldsTooLarge);

        var many = Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\n" + string.Concat(Enumerable.Repeat("x: y\r\n", RequestHeadParser.MaxFields + 1)) + "\r\n");
        Should.Throw<BadRequestException>(() => RequestHeadParser.Parse(many)).Status.ShouldBe(HttpStatusCode.RequestHeaderFieldsTooLarge);
    }
}
