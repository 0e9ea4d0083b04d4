import { distanceKm, type Place } from './distance.ts';

/** A city in which the CDN has caches. */
export interface EdgeCity extends Place {
  /** Three letters: mostly the IATA code of an airport nearby. */
  readonly code: string;
  readonly city: string;
  /** ISO 3166-1 alpha-2. */
  readonly country: string;
}

/**
 * Cities of CloudFront's edge locations. AWS lists the cities (https://aws.amazon.com/cloudfront/features/, 2025) and says
 * that the code in X-Amz-Cf-Pop and in the logs "typically corresponds with the IATA airport code for an airport near the
 * edge location" (standard log fields, x-edge-location); which codes are in use was gathered by
 * https://github.com/tobilg/aws-edge-locations. Coordinates are those of the airports (OurAirports, public domain), to a
 * tenth of a degree, which is 11 km.
 */
const TABLE = `
IAD Ashburn US 38.9 -77.5|ATL Atlanta US 33.6 -84.4|BOS Boston US 42.4 -71.0|ORD Chicago US 42.0 -87.9
CMH Columbus US 40.0 -82.9|DFW Dallas US 32.9 -97.0|DEN Denver US 39.9 -104.7|DTW Detroit US 42.2 -83.4
HIO Hillsboro US 45.5 -122.9|IAH Houston US 30.0 -95.3|MCI Kansas City US 39.3 -94.7|LAX Los Angeles US 33.9 -118.4
MIA Miami US 25.8 -80.3|MSP Minneapolis US 44.9 -93.2|BNA Nashville US 36.1 -86.7|JFK New York US 40.6 -73.8
EWR Newark US 40.7 -74.2|PHL Philadelphia US 39.9 -75.2|PHX Phoenix US 33.4 -112.0|PIT Pittsburgh US 40.5 -80.2
SLC Salt Lake City US 40.8 -112.0|SFO San Francisco US 37.6 -122.4|SEA Seattle US 47.4 -122.3|TPA Tampa US 28.0 -82.5
YUL Montreal CA 45.5 -73.7|YTO Toronto CA 43.7 -79.6|YVR Vancouver CA 49.2 -123.2|QRO Queretaro MX 20.6 -100.2
AMS Amsterdam NL 52.3 4.8|ATH Athens GR 37.9 23.9|BCN Barcelona ES 41.3 2.1|TXL Berlin DE 52.6 13.3
BRU Brussels BE 50.9 4.5|OTP Bucharest RO 44.6 26.1|BUD Budapest HU 47.4 19.3|CPH Copenhagen DK 55.6 12.7
DUB Dublin IE 53.4 -6.3|DUS Düsseldorf DE 51.3 6.8|FRA Frankfurt DE 50.0 8.6|HAM Hamburg DE 53.6 10.0
HEL Helsinki FI 60.3 25.0|IST Istanbul TR 41.3 28.7|LIS Lisbon PT 38.8 -9.1|LHR London GB 51.5 -0.5
MAD Madrid ES 40.5 -3.6|MAN Manchester GB 53.4 -2.3|MRS Marseille FR 43.4 5.2|MXP Milan IT 45.6 8.7
MUC Munich DE 48.4 11.8|OSL Oslo NO 60.2 11.1|PMO Palermo IT 38.2 13.1|CDG Paris FR 49.0 2.6
PRG Prague CZ 50.1 14.3|FCO Rome IT 41.8 12.2|SOF Sofia BG 42.7 23.4|ARN Stockholm SE 59.7 17.9
VIE Vienna AT 48.1 16.6|WAW Warsaw PL 52.2 21.0|ZAG Zagreb HR 45.7 16.1|ZRH Zurich CH 47.5 8.5
BAH Manama BH 26.3 50.6|DXB Dubai AE 25.3 55.4|FJR Fujairah AE 25.1 56.3|MCT Muscat OM 23.6 58.3
TLV Tel Aviv IL 32.0 34.9|CPT Cape Town ZA -34.0 18.6|JNB Johannesburg ZA -26.1 28.2|LOS Lagos NG 6.6 3.3
NBO Nairobi KE -1.3 36.9|BLR Bengaluru IN 13.2 77.7|MAA Chennai IN 13.0 80.2|HYD Hyderabad IN 17.2 78.4
CCU Kolkata IN 22.7 88.4|BOM Mumbai IN 19.1 72.9|DEL New Delhi IN 28.6 77.1|PNQ Pune IN 18.6 73.9
BKK Bangkok TH 13.7 100.8|HAN Hanoi VN 21.2 105.8|SGN Ho Chi Minh City VN 10.8 106.7|HKG Hong Kong HK 22.3 113.9
CGK Jakarta ID -6.1 106.7|KUL Kuala Lumpur MY 2.7 101.7|MNL Manila PH 14.5 121.0|KIX Osaka JP 34.4 135.2
ICN Seoul KR 37.5 126.5|SIN Singapore SG 1.4 104.0|TPE Taipei TW 25.1 121.2|NRT Tokyo JP 35.8 140.4
PEK Beijing CN 40.1 116.6|PVG Shanghai CN 31.1 121.8|SZX Shenzhen CN 22.6 113.8|ZHY Zhongwei CN 37.6 105.2
AKL Auckland NZ -37.0 174.8|BNE Brisbane AU -27.4 153.1|MEL Melbourne AU -37.7 144.8|PER Perth AU -31.9 116.0
SYD Sydney AU -33.9 151.2|BOG Bogota CO 4.7 -74.1|EZE Buenos Aires AR -34.8 -58.5|FOR Fortaleza BR -3.8 -38.5
LIM Lima PE -12.0 -77.1|GIG Rio de Janeiro BR -22.8 -43.3|SCL Santiago CL -33.4 -70.8|GRU São Paulo BR -23.4 -46.5`;

export const EDGE_CITIES: readonly EdgeCity[] = TABLE.trim().split(/[|\n]/).map(readRow);

/** The city of an X-Amz-Cf-Pop such as `FRA56-P12`; null when the code is not known. */
export function cityOfPop(pop: string): EdgeCity | null {
  const code = pop.trim().slice(0, 3).toUpperCase();
  return EDGE_CITIES.find((city) => city.code === code) ?? null;
}

/** The city nearest to a place, on the great circle. CloudFront itself goes by measured latency, which mostly agrees. */
export function nearestCity(place: Place, cities: readonly EdgeCity[] = EDGE_CITIES): EdgeCity | null {
  const byDistance = cities.map((city) => ({ city, km: distanceKm(place, city) }));
  return byDistance.toSorted((a, b) => a.km - b.km)[0]?.city ?? null;
}

function readRow(row: string): EdgeCity {
  const words = row.split(' ');
  const [code = '', ...rest] = words.slice(0, -3);
  const [country = '', latitude, longitude] = words.slice(-3);
  return { code, city: rest.join(' '), country, latitude: Number(latitude), longitude: Number(longitude) };
}
