using System.Text;
using Mesh.DataPlane.Transports;

namespace Mesh.DataPlane.Tests.Transports;

public sealed class CloseNoticeTests
{
    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nA: b\r\n\r\nbody", "HTTP/1.1 200 OK\r\nConnection: close\r\nA: b\r\n\r\nbody")]
    [InlineData("HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")]
    [InlineData("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")]
    [InlineData("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 500 No\r\n\r\n", "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 500 No\r\nConnection: close\r\n\r\n")]
    [InlineData("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nHTTP/1.1 200 OK\r\n", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nHTTP/1.1 200 OK\r\n")]
    [InlineData("\r\nHTTP/1.1 200 OK\r\n\r\n", "\r\nHTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")]
    public void The_last_response_says_that_it_is(string came, string read)
    {
        for (var chunk = 1; chunk <= came.Length; chunk++)
        {
            foreach (var room in new[] { chunk, chunk + 3, 4096 })
            {
                Read(came, chunk, room, begins: true).ShouldBe(read, $"by {chunk} into {room}");
            }
        }
    }

    [Fact]
    public void Any_other_response_is_as_it_came()
        => Read("HTTP/1.1 200 OK\r\n\r\n", 7, 64, begins: false).ShouldBe("HTTP/1.1 200 OK\r\n\r\n");

    private static string Read(string came, int chunk, int room, bool begins)
    {
        var notice = new CloseNotice();
        if (begins)
        {
            notice.Begin();
        }

        var text = new StringBuilder();
        var buffer = new byte[room];
        foreach (var part in Encoding.ASCII.GetBytes(came).Chunk(chunk))
        {
            part.CopyTo(buffer, 0);
            var count = notice.Add(buffer, part.Length);
            text.Append(Encoding.ASCII.GetString(buffer, 0, count));
            while (notice.TryTake(buffer, out count))
            {
                text.Append(Encoding.ASCII.GetString(buffer, 0, count));
            }
        }

        return text.ToString();
    }
}
