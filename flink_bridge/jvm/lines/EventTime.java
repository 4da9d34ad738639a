package winevent;

import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads the time of an event, in the forms that loggers write, as milliseconds since 1970. Pure: no Flink. */
public class EventTime {

    public static final long NONE = Long.MIN_VALUE; // the text has no time

    private static final long DAY = 24 * 60 * 60 * 1000L;
    private static final long FILETIME_EPOCH = 11644473600000L; // milliseconds from 1601 to 1970
    private static final String MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec";
    private static final Pattern COMPACT = Pattern.compile("(\\d{4})(\\d\\d)(\\d\\d)[Tt](\\d\\d)(\\d\\d)(\\d\\d)(.*)");
    private static final Pattern AMERICAN =
            Pattern.compile("(\\d{1,2})/(\\d{1,2})/(\\d{4}) (\\d{1,2}):(\\d\\d):(\\d\\d) ([AaPp])[Mm]");
    private static final Pattern SYSLOG = Pattern.compile("([A-Z][a-z]{2}) ([ \\d]\\d) (\\d\\d:\\d\\d:\\d\\d)");
    private static final Pattern DOT_NET = Pattern.compile("/Date\\((-?\\d{1,15})(?:[+-]\\d{4})?\\)/");
    private static final Pattern NUMBER = Pattern.compile("(\\d{9,19})(?:\\.(\\d+))?");

    private final ZoneId zone; // for a text without a zone
    private final long offset; // of that zone, if it never changes
    private final boolean fixed;

    /** `zone`: UTC, +01:00, Europe/Berlin; for texts without a zone. */
    public EventTime(String zone) {
        this.zone = ZoneId.of(zone);
        fixed = this.zone.getRules().isFixedOffset();
        offset = fixed ? this.zone.getRules().getOffset(LocalDateTime.MIN).getTotalSeconds() * 1000L : 0;
    }

    /** `now`, in milliseconds since 1970, gives the year of a text without a year. */
    public long milliseconds(String text, long now) {
        int length = text.length();
        if (length >= 16 && text.charAt(4) == '-' && text.charAt(13) == ':') {
            return iso(text, length);
        }
        String other = length == 0 ? null : asIso(text, now);
        return other != null ? iso(other, other.length()) : length == 0 ? NONE : number(text);
    }

    /** yyyy-MM-dd, then T or a space, then HH:mm. The seconds, a fraction and a zone may follow. */
    private long iso(String text, int length) {
        int year = two(text, 0) * 100 + two(text, 2);
        int month = two(text, 5);
        int day = two(text, 8);
        int hour = two(text, 11);
        int minute = two(text, 14);
        char between = text.charAt(10);
        if (year < 0 || month < 1 || month > 12 || day < 1 || hour < 0 || minute < 0 || minute > 59
                || text.charAt(7) != '-' || between != 'T' && between != ' ' && between != 't'
                || day > 28 && day > daysOf(year, month)) {
            return NONE;
        }
        int second = 0;
        int place = 16;
        if (place + 2 < length && text.charAt(place) == ':') {
            second = two(text, 17); // 60 is a leap second, the next minute here
            place = 19;
        }
        int fraction = 0;
        if (place < length && (text.charAt(place) == '.' || text.charAt(place) == ',')) {
            int first = ++place;
            int weight = 100;
            while (place < length && text.charAt(place) >= '0' && text.charAt(place) <= '9') {
                fraction += weight * (text.charAt(place++) - '0');
                weight /= 10;
            }
            if (place == first || place - first > 9) {
                return NONE;
            }
        }
        if (second < 0 || second > 60 || hour > 24 || hour == 24 && minute + second + fraction > 0) {
            return NONE;
        }
        long local = days(year, month, day) * DAY + ((hour * 60 + minute) * 60 + second) * 1000L + fraction;
        if (place + 1 == length && (text.charAt(place) == 'Z' || text.charAt(place) == 'z')) {
            return local;
        }
        return inZone(local, text.substring(place));
    }

    private long inZone(long local, String rest) {
        if (rest.isEmpty()) {
            return local - (fixed ? offset : offsetAt(local));
        }
        String name = rest.charAt(0) == ' ' ? rest.substring(1) : rest;
        if (name.equalsIgnoreCase("Z") || name.equals("UTC") || name.equals("GMT")) {
            return local;
        }
        boolean colon = name.length() == 6 && name.charAt(3) == ':';
        if (!colon && name.length() != 5 && name.length() != 3 || name.charAt(0) != '+' && name.charAt(0) != '-') {
            return NONE;
        }
        int hours = two(name, 1);
        int minutes = name.length() == 3 ? 0 : two(name, colon ? 4 : 3);
        if (hours < 0 || hours > 18 || minutes < 0 || minutes > 59) {
            return NONE;
        }
        long away = (hours * 60 + minutes) * 60000L;
        return name.charAt(0) == '+' ? local - away : local + away;
    }

    private long offsetAt(long local) {
        LocalDateTime when = LocalDateTime.ofEpochSecond(Math.floorDiv(local, 1000L), 0, ZoneOffset.UTC);
        return zone.getRules().getOffset(when).getTotalSeconds() * 1000L;
    }

    /** Rewrites the rare forms in the common one; null if the text has none of these forms. */
    private static String asIso(String text, long now) {
        Matcher form = COMPACT.matcher(text);
        if (form.matches()) {
            return form.group(1) + "-" + form.group(2) + "-" + form.group(3) + "T" + form.group(4) + ":"
                    + form.group(5) + ":" + form.group(6) + form.group(7);
        }
        form = AMERICAN.matcher(text);
        if (form.matches()) {
            int hour = Integer.parseInt(form.group(4));
            if (hour < 1 || hour > 12) {
                return null;
            }
            hour = hour % 12 + (form.group(7).equalsIgnoreCase("p") ? 12 : 0);
            return form.group(3) + "-" + twoDigits(Integer.parseInt(form.group(1))) + "-"
                    + twoDigits(Integer.parseInt(form.group(2))) + "T" + twoDigits(hour) + ":" + form.group(5) + ":"
                    + form.group(6);
        }
        form = SYSLOG.matcher(text);
        return form.matches() ? withYear(form, now) : null;
    }

    /** The year for a time of syslog, which has no year: the latest with which it is at most a day in the future. */
    private static String withYear(Matcher form, long now) {
        int month = MONTHS.indexOf(form.group(1));
        if (month < 0 || month % 3 != 0) {
            return null;
        }
        String rest = "-" + twoDigits(month / 3 + 1) + "-" + form.group(2).replace(' ', '0') + "T" + form.group(3);
        LocalDateTime tomorrow = LocalDateTime.ofEpochSecond((now + DAY) / 1000, 0, ZoneOffset.UTC);
        String latest = tomorrow.toString();
        int year = tomorrow.getYear();
        return (rest.compareTo(latest.substring(latest.indexOf('-', 1))) > 0 ? year - 1 : year) + rest;
    }

    /** Seconds, milliseconds, microseconds or nanoseconds since 1970, or Windows' FILETIME: the length decides. */
    private static long number(String text) {
        Matcher dotNet = DOT_NET.matcher(text);
        if (dotNet.matches()) {
            return Long.parseLong(dotNet.group(1));
        }
        Matcher form = NUMBER.matcher(text);
        if (!form.matches()) {
            return NONE;
        }
        int digits = form.group(1).length();
        long value = digits == 19 && form.group(1).compareTo("9223372036854775807") > 0
                ? NONE : Long.parseLong(form.group(1));
        if (digits <= 10) {
            String fraction = form.group(2) == null ? "" : form.group(2);
            return value * 1000 + Long.parseLong((fraction + "000").substring(0, 3));
        }
        switch (digits) {
            case 12:
            case 13:
                return value;
            case 15:
            case 16:
                return value / 1000;
            case 18:
                boolean isFileTime = form.group(2) == null && text.compareTo("11") > 0 && text.compareTo("15") < 0;
                return isFileTime ? value / 10000 - FILETIME_EPOCH : value / 1000000;
            case 19:
                return value == NONE ? NONE : value / 1000000;
            default:
                return NONE;
        }
    }

    /** Days since 1970 (H. Hinnant, days_from_civil), for years from 0 on. */
    private static long days(int year, int month, int day) {
        int y = month <= 2 ? year - 1 : year;
        int era = Math.floorDiv(y, 400);
        int ofEra = y - era * 400;
        int ofYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
        return era * 146097L + ofEra * 365 + ofEra / 4 - ofEra / 100 + ofYear - 719468;
    }

    private static int daysOf(int year, int month) {
        if (month == 2) {
            return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28;
        }
        return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
    }

    /** The number that two digits make; far below zero if they are not digits. */
    private static int two(String text, int place) {
        int tens = text.charAt(place) - '0';
        int ones = text.charAt(place + 1) - '0';
        return tens < 0 || tens > 9 || ones < 0 || ones > 9 ? -1000000 : tens * 10 + ones;
    }

    private static String twoDigits(int number) {
        return number < 10 ? "0" + number : String.valueOf(number);
    }
}
