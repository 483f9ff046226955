using System.Text;
using Mesh.DataPlane.Transports;

namespace Mesh.DataPlane.Tests.Transports;

public class Http1MessageTests
{
    [Theory]
    [InlineData("GET / HTTP/1.1\r\nhost: a\r\n\r\n")]
    [InlineData("\r\nGET / HTTP/1.1\nhost: a\n\n")]
    [InlineData("POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello")]
    [InlineData("POST / HTTP/1.1\r\ncontent-length:0\r\n\r\n")]
    [InlineData("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n")]
    [InlineData("POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n1\r\n\n\r\n0\r\ntrailer: a\r\n\r\n")]
    public void A_request_ends_where_it_ends(string message) => EndsAt(message, isResponse: false);

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")]
    [InlineData("HTTP/1.1 204 No Content\r\n\r\n")]
    [InlineData("HTTP/1.1 304 Not Modified\r\ncontent-length: 10\r\n\r\n")]
    [InlineData("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n!")]
    [InlineData("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-length: 1\r\n\r\n2\r\nok\r\n0\r\n\r\n")]
    public void A_response_ends_where_it_ends(string message) => EndsAt(message, isResponse: true);

    [Fact]
    public void The_answer_to_HEAD_has_no_body_whatever_it_says()
    {
        var response = new Http1Message(isResponse: true) { AnswersHead = true };
        response.Consume("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n"u8);
        response.IsComplete.ShouldBeTrue();
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\n\r\nuntil the connection closes")]
    [InlineData("HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n\r\nframes")]
    [InlineData("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nno size\r\n0\r\n\r\n")]
    public void Some_responses_end_with_the_connection_only(string message)
    {
        var response = new Http1Message(isResponse: true);
        response.Consume(Encoding.Latin1.GetBytes(message)).ShouldBe(message.Length);
        response.IsComplete.ShouldBeFalse();
    }

    [Fact]
    public void HTTP2_is_no_message()
    {
        var request = new Http1Message(isResponse: false);
        request.Consume("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8);
        (request.IsHttp2, request.IsComplete).ShouldBe((true, false));
    }

    private static void EndsAt(string message, bool isResponse)
    {
        var bytes = Encoding.Latin1.GetBytes(message + "next");
        for (var piece = 1; piece <= bytes.Length; piece++)
        {
            var reader = new Http1Message(isResponse);
            var consumed = 0;
            while (consumed < bytes.Length && !reader.IsComplete)
            {
                consumed += reader.Consume(bytes.AsSpan(consumed, Math.Min(piece, bytes.Length - consumed)));
            }

            reader.IsComplete.ShouldBeTrue();
            consumed.ShouldBe(message.Length);
        }
    }
}
