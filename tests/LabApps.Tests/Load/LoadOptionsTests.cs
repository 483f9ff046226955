using LoadGenerator;

namespace LabApps.Tests.Load;

public sealed class LoadOptionsTests
{
    [Fact]
    public void Reads_the_command_line_of_the_lab()
    {
        var options = LoadOptions.Parse("load -c 3 -qps 0 -n 20 -loglevel Warning http://httpbin:8000/get".Split(' '));

        options.Url.ShouldBe(new Uri("http://httpbin:8000/get"));
        (options.Connections, options.Qps, options.Exactly, options.LogLevel).ShouldBe((3, 0, 20, LoadLogLevel.Warning));
    }

    [Fact]
    public void Has_the_defaults_of_fortio()
    {
        var options = LoadOptions.Parse(["httpbin/get"]);

        options.Url.ShouldBe(new Uri("http://httpbin/get"));
        (options.Connections, options.Qps, options.Exactly, options.Duration, options.Timeout).ShouldBe((4, 8, 0, TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(3)));
        options.Percentiles.ShouldBe([50, 75, 90, 99, 99.9]);
        options.KeepAlive.ShouldBeTrue();
    }

    [Fact]
    public void Reads_flags_with_one_dash_or_two_and_their_values_behind_a_sign_or_a_blank()
    {
        var options = LoadOptions.Parse(["--c=2", "-t", "1m30.5s", "-H", "end-user: jason", "-H", "a:b:c", "-p", "50,99.9", "-keepalive=false", "-timeout", "250ms", "-curl", "http://a/"]);

        options.Connections.ShouldBe(2);
        options.Duration.ShouldBe(TimeSpan.FromSeconds(90.5));
        options.Headers.ShouldBe([("end-user", "jason"), ("a", "b:c")]);
        options.Percentiles.ShouldBe([50, 99.9]);
        options.KeepAlive.ShouldBeFalse();
        options.Timeout.ShouldBe(TimeSpan.FromMilliseconds(250));
        options.Curl.ShouldBeTrue();
    }

    [Theory]
    [InlineData("-c", "0", "http://a/", "-c cannot be '0'.")]
    [InlineData("-t", "5", "http://a/", "-t cannot be '5'.")]
    [InlineData("-qps", "-1", "http://a/", "-qps cannot be '-1'.")]
    [InlineData("-H", "nothing", "http://a/", "-H cannot be 'nothing'.")]
    [InlineData("-x", "1", "http://a/", "There is no flag -x.")]
    [InlineData("-c", "1", "-n", "-n wants a value.")]
    [InlineData("-c", "1", "-curl", "There is no URL.")]
    [InlineData("http://a/", "http://b/", "-curl", "'http://b/' is one URL too many, or none.")]
    public void Says_what_is_wrong(string first, string second, string third, string message)
        => Should.Throw<FormatException>(() => LoadOptions.Parse([first, second, third])).Message.ShouldBe(message);
}
